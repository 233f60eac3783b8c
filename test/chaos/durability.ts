import type { SessionInfo } from '#contracts';
import { eventually } from '../support/cluster.js';
import type { Load } from './load.js';

const AT_A_TIME = 20;

const EXPECTED = { living: ['active'], ending: ['active', 'revoked'], ended: ['revoked'] } as const;

/** What was acknowledged and is not so: sessions that are nowhere, that nobody ended, or that live. Costs one call each. */
export async function lostOf(load: Load): Promise<string[]> {
  const lost: string[] = [];
  const sessions = [...load.acknowledged];
  const look = async (): Promise<void> => {
    for (let next = sessions.pop(); next !== undefined; next = sessions.pop()) {
      const [sid, told] = next;
      let turn = 0;
      const status = await eventually(() => statusOf(load, sid, (turn += 1)), {
        what: `an answer about session ${sid}`,
      });
      if (!EXPECTED[told].some((expected) => expected === status))
        lost.push(`${sid}: ${told}, but ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, look));
  return lost;
}

/** Undefined: ask again, another instance. */
const statusOf = (load: Load, sid: string, turn: number): Promise<string | undefined> =>
  load.call<SessionInfo>('GET', `/v1/sessions/${sid}`, { turn }).then(
    ({ status }) => status,
    (error: unknown) => (String(error).includes(' 404: ') ? 'nowhere' : undefined),
  );
