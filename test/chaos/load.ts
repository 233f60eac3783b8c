import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IssuedSession } from '#contracts';
import type { ChaosNode } from './chaos-node.js';
import type { Oracle } from './oracle.js';

/** How the load reaches the service: the REST doors as they are now. */
export interface Doors {
  readonly urls: () => readonly string[];
  readonly apiKey: string;
}

export interface LoadOptions {
  readonly doors: Doors;
  readonly nodes: readonly ChaosNode[];
  readonly oracle: Oracle;
  readonly random: () => number;
  /** Users at a time; each makes about one write in 0.6 s. */
  readonly users: number;
  /** How long an attempt may take before it counts as failed and another instance is asked; 1,500 ms if absent. */
  readonly attemptMs?: number;
  /** Life of an access token, milliseconds. */
  readonly ttlMs: number;
}

/** What the load did; `failed`: attempts that were repeated. */
export interface LoadCounts {
  created: number;
  revoked: number;
  massRevoked: number;
  failedWrites: number;
  failedRevokes: number;
  /** With all its attempts. */
  slowestRevokeMs: number;
}

type Login = IssuedSession & { readonly accessToken: string };

const ATTEMPT_MS = 1_500;
const RETRY_MS = 150;
/** How long a revoked session is asked about all the time; after that rarely, as long as its token lives. */
const HOT_MS = 8_000;
/** A token that a node hears of only when its session is revoked: it meets the deny-list before the cache. */
const LATE_SHARE = 0.25;

/** Users who sign in and are signed out, one session or all but one, without a pause, whatever breaks. */
export class Load {
  readonly counts: LoadCounts = {
    created: 0,
    revoked: 0,
    massRevoked: 0,
    failedWrites: 0,
    failedRevokes: 0,
    slowestRevokeMs: 0,
  };
  /** Why attempts failed, and how often. */
  readonly failures: Record<string, number> = {};
  /** Revocation ids by the session that they were for (its sid), or of the mass revocations. */
  readonly revocationIds: string[] = [];
  /** Every acknowledged session: `ending` from the first attempt on, `ended` when one was acknowledged. */
  readonly acknowledged = new Map<string, 'living' | 'ending' | 'ended'>();
  private readonly untold = new Map<string, Map<ChaosNode, string>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly stopping = new AbortController();
  private lanes: Promise<unknown> = Promise.resolve();
  private users = 0;

  constructor(private readonly options: LoadOptions) {}

  start(): void {
    setMaxListeners(0, this.stopping.signal);
    this.lanes = Promise.all(Array.from({ length: this.options.users }, () => this.play()));
  }

  /** Resolves when no call is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.lanes;
    this.timers.forEach(clearTimeout);
  }

  /** @returns undefined when the load was stopped before it was acknowledged */
  async create(sub: string): Promise<Login | undefined> {
    // Without an Idempotency-Key: an attempt that was given up here may yet begin there, and would end its repetition.
    for (;;) {
      const login = await this.persist<IssuedSession>('failedWrites', 'POST', '/v1/sessions', {
        body: { sub },
      });
      if (login === undefined) return undefined;
      this.counts.created += 1;
      this.acknowledged.set(login.sid, 'living');
      // An answer that took too long by one of the instance's clocks, one that was just moved say, has none (DESIGN §4).
      if (login.accessToken === undefined) continue;
      this.options.oracle.created(login.sid);
      return { ...login, accessToken: login.accessToken };
    }
  }

  async revoke(sid: string): Promise<void> {
    this.ending([sid]);
    const answer = await this.persist('failedRevokes', 'DELETE', `/v1/sessions/${sid}`);
    if (answer === undefined) return;
    this.counts.revoked += 1;
    this.revocationIds.push(sid);
    this.ended([sid]);
  }

  /** All of the user's sessions but `spared`. */
  async revokeAll(sub: string, sids: readonly string[], spared: string): Promise<void> {
    const key = randomBytes(16).toString('base64url');
    const path = `/v1/users/${sub}/sessions?except=${spared}`;
    this.ending(sids);
    const answer = await this.persist<{ revocationId: string }>('failedRevokes', 'DELETE', path, { key });
    if (answer === undefined) return;
    this.counts.massRevoked += 1;
    this.revocationIds.push(answer.revocationId);
    this.ended(sids);
  }

  /** One call to one instance, by turns. @throws Error with the status, or when there is no answer */
  async call<T>(
    method: string,
    path: string,
    { body, key, turn = 0 }: { readonly body?: unknown; readonly key?: string; readonly turn?: number } = {},
  ): Promise<T> {
    const urls = this.options.doors.urls();
    const response = await fetch(`${urls[turn % urls.length]}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.options.doors.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(this.options.attemptMs ?? ATTEMPT_MS),
    });
    const text = await response.text();
    if (response.status >= 300) throw new Error(`${method} ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  private async play(): Promise<void> {
    const { random, oracle } = this.options;
    const { signal } = this.stopping;
    const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => undefined);
    await pause(random() * 2_000);
    while (!signal.aborted) {
      const sub = `user-${(this.users += 1)}`;
      const logins: Login[] = [];
      for (let sessions = 2 + Math.floor(random() * 3); sessions > 0; sessions -= 1) {
        const login = await this.create(sub);
        if (login === undefined) return;
        logins.push(login);
        this.tell(login);
        await pause(random() * 400);
      }
      // A few stay for long: what lives through a fault must be accepted behind it.
      await pause(random() < 0.2 ? random() * this.options.ttlMs * 0.5 : random() * 1_500);
      const sids = logins.map(({ sid }) => sid);
      const [spared] = sids;
      if (spared !== undefined && random() < 0.5) {
        await this.revokeAll(sub, sids.slice(1), spared);
        await pause(random() * 1_000);
        await this.revoke(spared);
      } else {
        for (const sid of sids) {
          await this.revoke(sid);
          await pause(random() * 300);
        }
      }
      // What the load was stopped in the middle of is judged no more.
      if (signal.aborted) oracle.forget(sids);
    }
  }

  private tell({ sid, accessToken }: Login): void {
    const { nodes, random } = this.options;
    const later = new Map<ChaosNode, string>();
    for (const node of nodes) {
      if (random() < LATE_SHARE) later.set(node, accessToken);
      else node.tell([[sid, accessToken]]);
    }
    this.untold.set(sid, later);
  }

  private ending(sids: readonly string[]): void {
    this.options.oracle.ending(sids);
    for (const sid of sids) this.acknowledged.set(sid, 'ending');
  }

  private ended(sids: readonly string[]): void {
    const { oracle, nodes, ttlMs } = this.options;
    oracle.ended(sids);
    for (const sid of sids) {
      this.acknowledged.set(sid, 'ended');
      for (const [node, token] of this.untold.get(sid) ?? []) node.tell([[sid, token]]);
      this.untold.delete(sid);
    }
    this.later(HOT_MS, () => nodes.forEach((node) => node.cool(sids)));
    this.later(ttlMs, () => {
      nodes.forEach((node) => node.forget(sids));
      oracle.forget(sids);
    });
  }

  private later(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      what();
    }, ms);
    this.timers.add(timer.unref());
  }

  private slow(ms: number): void {
    this.counts.slowestRevokeMs = Math.max(this.counts.slowestRevokeMs, Math.round(ms));
  }

  /** Until it is acknowledged: what had no answer has an unknown outcome. Undefined when stopped. */
  private async persist<T>(
    failures: 'failedWrites' | 'failedRevokes',
    method: string,
    path: string,
    sent: { readonly body?: unknown; readonly key?: string } = {},
  ): Promise<T | undefined> {
    const begun = performance.now();
    let turn = Math.floor(this.options.random() * 2);
    while (!this.stopping.signal.aborted) {
      try {
        const answer = await this.call<T>(method, path, { ...sent, turn });
        if (failures === 'failedRevokes') this.slow(performance.now() - begun);
        return answer;
      } catch (error) {
        this.counts[failures] += 1;
        const why = `${method} ${(error as Error).message.slice(0, 80)}`;
        this.failures[why] = (this.failures[why] ?? 0) + 1;
        turn += 1;
        await sleep(RETRY_MS);
      }
    }
    return undefined;
  }
}
