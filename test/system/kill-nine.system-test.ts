import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { IssuedSession } from '#sdk';
import {
  dataFolder,
  eventually,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { postmasterPid } from '../support/embedded.js';

/** What the service acknowledged before it was killed. */
interface Acknowledged {
  readonly sid: string;
  gen: number;
  revoked: boolean;
}

/** A refresh whose answer may not have come: what the client stored before it sent. */
interface Pending {
  readonly sid: string;
  readonly refreshToken: string;
  readonly key: string;
}

const freshKey = (): string => randomBytes(16).toString('base64url');

describe('kill -9 of the service at any instant', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>> | undefined;
  let service: TestService | undefined;

  afterAll(async () => {
    await service?.child.stop();
    await folder?.remove();
  });

  it(`G9 G3: loses no acknowledged event; a refresh retried with its key gets the same successor (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    folder = await dataFolder();
    for (let round = 0; round < rounds(3); round += 1) {
      service = await startTestService(folder.path);
      const acknowledged: Acknowledged[] = [];
      const pending: Pending[] = [];
      const postgres = postmasterPid(folder.path);
      const killed = killAfter(service, random() * 120, random() < 0.3 ? postgres : undefined);
      await Promise.all(
        Array.from({ length: 4 }, (_, index) =>
          live(service as TestService, `user-${index}`, acknowledged, pending),
        ),
      );
      await killed;

      service = await startTestService(folder.path);
      for (const session of acknowledged) await expectKept(service, session);
      for (const retry of pending) await expectSameSuccessor(service, retry, random);
      await service.child.stop();
    }
  });

  async function killAfter(victim: TestService, ms: number, postgres: number | undefined): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    victim.child.signal('SIGKILL');
    if (postgres !== undefined) process.kill(postgres, 'SIGKILL');
    await victim.child.ended();
    if (postgres !== undefined) await eventually(() => !isAlive(postgres), { what: 'the end of PostgreSQL' });
  }

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  /** Plays the steps of the demo over and over until the service is gone. */
  async function live(
    { rest, child }: TestService,
    sub: string,
    acknowledged: Acknowledged[],
    pending: Pending[],
  ): Promise<void> {
    const call = async <T>(
      method: string,
      path: string,
      body: unknown,
      headers = {},
    ): Promise<T | undefined> => {
      try {
        const answer = await rest.call<T>(method, path, body, headers);
        return answer.status < 300 ? answer.body : undefined;
      } catch {
        return undefined;
      }
    };
    while (child.running) {
      const created = await call<IssuedSession>('POST', '/v1/sessions', { sub });
      if (!created) return;
      const session: Acknowledged = { sid: created.sid, gen: 0, revoked: false };
      acknowledged.push(session);
      let { refreshToken } = created;
      for (let gen = 1; gen <= 3; gen += 1) {
        const retry = { sid: session.sid, refreshToken, key: freshKey() };
        const rotated = await call<IssuedSession>(
          'POST',
          '/v1/sessions/refresh',
          { refreshToken },
          { 'idempotency-key': retry.key },
        );
        if (!rotated) {
          pending.push(retry);
          return;
        }
        session.gen = gen;
        ({ refreshToken } = rotated);
      }
      if (!(await call('DELETE', `/v1/sessions/${session.sid}`, undefined))) return;
      session.revoked = true;
    }
  }

  async function expectKept({ rest }: TestService, { sid, gen, revoked }: Acknowledged): Promise<void> {
    const { status, body } = await rest.call<{ gen: number; status: string }>('GET', `/v1/sessions/${sid}`);
    expect(status).toBe(200);
    expect(body.gen).toBeGreaterThanOrEqual(gen);
    if (revoked) expect(body.status).toBe('revoked');
  }

  async function expectSameSuccessor(
    { rest }: TestService,
    retry: Pending,
    random: () => number,
  ): Promise<void> {
    const again = Array.from({ length: 2 + Math.floor(random() * 3) }, () =>
      rest.call<IssuedSession>(
        'POST',
        '/v1/sessions/refresh',
        { refreshToken: retry.refreshToken },
        { 'idempotency-key': retry.key },
      ),
    );
    const answers = await Promise.all(again);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    const { body } = await rest.call<{ status: string }>('GET', `/v1/sessions/${retry.sid}`);
    expect(body.status).toBe('active');
  }
});
