import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { IssuedSession, SessionsClient } from '#sdk';
import type { ApiNode } from './node-settings.js';
import { untilAllRefuse, verifyOnAll } from './probe.js';

/** Longer than this, and the demo reports the step as failed: the staleness bound B of the nodes, ms. */
const STALENESS_BOUND_MS = 2_000;

export interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly detail: string;
}

export interface Cast {
  readonly sessions: SessionsClient;
  readonly nodes: readonly ApiNode[];
  readonly user: string;
  /** Grace of the service, ms: an old token is theft after it. */
  readonly reuseGraceMs: number;
  readonly onStep: (step: Step) => void;
}

function assert(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

interface Told {
  readonly detail: string;
  /** What was measured inside the step; the step's whole time if absent. */
  readonly ms?: number;
}

const isRefused = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => false,
    (error: unknown) => (error as { code?: string }).code === 'ERR_TOKEN_REFUSED',
  );

/** The main job, act by act. Each throws when Curfew does not do what it should. */
class Story {
  private laptop = {} as IssuedSession;
  private phone = {} as IssuedSession;
  private rotated = {} as IssuedSession;

  constructor(private readonly cast: Cast) {}

  readonly acts: readonly (readonly [string, () => Promise<Told>])[] = [
    ['login on two devices', () => this.login()],
    ['verified on every node', () => this.verify()],
    ['rotation', () => this.rotate()],
    ['a lost response, retried', () => this.retry()],
    ['a stolen old token is presented', () => this.steal()],
    ['the stolen session is gone for good', () => this.stayDead()],
    ['device list', () => this.listDevices()],
    ['sign out', () => this.signOut()],
    ['sign out everywhere but here', () => this.signOutEverywhere()],
  ];

  private async login(): Promise<Told> {
    const { sessions, user: sub } = this.cast;
    this.laptop = await sessions.create({
      sub,
      device: { name: 'Laptop', userAgent: 'Demo/1.0', ip: '192.0.2.10' },
    });
    this.phone = await sessions.create({
      sub,
      device: { name: 'Phone', userAgent: 'Demo/1.0', ip: '192.0.2.20' },
    });
    assert(this.laptop.sid !== this.phone.sid, 'two logins got one session');
    return { detail: `sessions ${short(this.laptop.sid)} (laptop) and ${short(this.phone.sid)} (phone)` };
  }

  private async verify(): Promise<Told> {
    const { nodes } = this.cast;
    const accepted = await verifyOnAll(nodes, [this.laptop, this.phone]);
    assert(accepted === nodes.length * 2, `${accepted} of ${nodes.length * 2} were accepted`);
    return { detail: `${nodes.length} nodes accept both, each from its own memory` };
  }

  private async rotate(): Promise<Told> {
    const { sessions, nodes } = this.cast;
    this.rotated = await sessions.refresh(this.laptop.refreshToken, { idempotencyKey: freshKey() });
    const { gen, refreshToken } = this.rotated;
    assert(gen === 1 && refreshToken !== this.laptop.refreshToken, 'the token was not rotated');
    assert(
      (await verifyOnAll(nodes, [this.rotated])) === nodes.length,
      'a node refuses the new access token',
    );
    return { detail: 'generation 0 → 1; the new access token is accepted on every node' };
  }

  private async retry(): Promise<Told> {
    const idempotencyKey = freshKey();
    const lost = await this.cast.sessions.refresh(this.phone.refreshToken, { idempotencyKey });
    const again = await this.cast.sessions.refresh(this.phone.refreshToken, { idempotencyKey });
    assert(lost.refreshToken === again.refreshToken, 'the rotation forked: the retry got another successor');
    this.phone = again;
    return { detail: 'the retry with the same Idempotency-Key got the same successor' };
  }

  private async steal(): Promise<Told> {
    const { sessions, nodes, reuseGraceMs } = this.cast;
    await new Promise((resolve) => setTimeout(resolve, reuseGraceMs + 100));
    const begun = performance.now();
    assert(await isRefused(sessions.refresh(this.laptop.refreshToken)), 'the stolen token was accepted');
    const answered = performance.now() - begun;
    const last = await untilAllRefuse(nodes, this.rotated, STALENESS_BOUND_MS);
    return {
      detail: `theft found in ${answered.toFixed(1)} ms; the last of ${nodes.length} nodes refuses ${last.toFixed(1)} ms later`,
      ms: answered + last,
    };
  }

  private async stayDead(): Promise<Told> {
    const { sessions, nodes } = this.cast;
    assert(await isRefused(sessions.refresh(this.rotated.refreshToken)), 'the stolen session was refreshed');
    assert((await verifyOnAll(nodes, [this.rotated])) === 0, 'a node accepts the stolen session again');
    assert((await verifyOnAll(nodes, [this.phone])) === nodes.length, 'the other device was ended too');
    return { detail: 'its newest token is refused as well; the phone stays signed in' };
  }

  private async listDevices(): Promise<Told> {
    const { sessions, user } = this.cast;
    const { sessions: devices } = await sessions.listByUser(user, { includeEnded: true });
    const told = devices.map(
      ({ device, status, endedReason }) => `${device?.name ?? '?'} ${endedReason ?? status}`,
    );
    assert(told.join() === 'Phone active,Laptop theft', `the list says ${told.join()}`);
    return { detail: told.join(', ') };
  }

  private async signOut(): Promise<Told> {
    const { sessions, nodes, user } = this.cast;
    const { revoked } = await sessions.revokeOfUser(user, this.phone.sid, {
      reason: 'user',
      initiator: 'user',
    });
    assert(revoked, 'nothing was revoked');
    const ms = await untilAllRefuse(nodes, this.phone, STALENESS_BOUND_MS);
    return {
      detail: `the last of ${nodes.length} nodes refuses ${ms.toFixed(1)} ms after the call returned`,
      ms,
    };
  }

  private async signOutEverywhere(): Promise<Told> {
    const { sessions, nodes, user: sub } = this.cast;
    const logins = await Promise.all(Array.from({ length: 5 }, () => sessions.create({ sub })));
    const [here, ...elsewhere] = logins;
    assert(
      here !== undefined && (await verifyOnAll(nodes, logins)) === nodes.length * logins.length,
      'a login was refused',
    );
    const { epoch } = await sessions.revokeAll(
      { scope: 'user', sub, except: [here.sid], reason: 'user', initiator: 'user' },
      { idempotencyKey: freshKey() },
    );
    const begun = performance.now();
    await Promise.all(elsewhere.map((login) => untilAllRefuse(nodes, login, STALENESS_BOUND_MS)));
    const ms = performance.now() - begun;
    assert((await verifyOnAll(nodes, [here])) === nodes.length, 'the spared session was ended too');
    return {
      detail: `one event (epoch ${epoch}) ends ${elsewhere.length} sessions and spares this one; the last node refuses ${ms.toFixed(1)} ms after`,
      ms,
    };
  }
}

/** Plays the whole main job. @returns every step; the last one is not ok if the story failed there. */
export async function play(cast: Cast): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const [name, act] of new Story(cast).acts) {
    const step = await told(name, act);
    steps.push(step);
    cast.onStep(step);
    if (!step.ok) break;
  }
  return steps;
}

async function told(name: string, act: () => Promise<Told>): Promise<Step> {
  const begun = performance.now();
  try {
    const { detail, ms } = await act();
    return { name, ok: true, ms: ms ?? performance.now() - begun, detail };
  } catch (error) {
    return { name, ok: false, ms: performance.now() - begun, detail: (error as Error).message };
  }
}

const short = (sid: string): string => `${sid.slice(0, 8)}…`;
const freshKey = (): string => randomBytes(16).toString('base64url');
