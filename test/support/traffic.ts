import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import type { IssuedSession } from '#sdk';
import { eventually, type TestService } from './cluster.js';

/** What the service acknowledged before it was killed. */
interface Acknowledged {
  readonly sid: string;
  readonly sub: string;
  gen: number;
  revoked: boolean;
}

/** A refresh whose answer may not have come: what the client stored before it sent. */
interface Pending {
  readonly sid: string;
  readonly refreshToken: string;
  readonly key: string;
}

/** How a session's life goes. */
export interface Life {
  readonly refreshes: number;
  /** One of these ends it. */
  readonly ends: readonly End[];
}
/** `mass`: all of the user's. `theft`: a superseded refresh token is presented; needs `CURFEW_REUSE_GRACE=0`. */
export type End = 'revoke' | 'mass' | 'theft';

const freshKey = (): string => randomBytes(16).toString('base64url');

/** Logins, refreshes and revocations, and what was acknowledged of them. */
export class Traffic {
  readonly acknowledged: Acknowledged[] = [];
  readonly pending: Pending[] = [];

  constructor(private readonly random: () => number) {}

  /** Plays lives of one user, one after the other, until the service is gone. A user belongs to one caller. */
  async play(service: TestService, sub: string, { refreshes, ends }: Life): Promise<void> {
    while (service.child.running) {
      const created = await write<IssuedSession>(service, 'POST', '/v1/sessions', { sub });
      if (!created) return;
      const session: Acknowledged = { sid: created.sid, sub, gen: 0, revoked: false };
      this.acknowledged.push(session);
      const superseded = await this.refresh(service, session, created, refreshes);
      const end = ends[Math.floor(this.random() * ends.length)];
      if (superseded === undefined || !end) return;
      if (!(await this.end(service, session, end, superseded))) return;
    }
  }

  /** @throws when something acknowledged is missing */
  async expectKept({ rest }: TestService): Promise<void> {
    for (const { sid, gen, revoked } of this.acknowledged) {
      const { status, body } = await rest.call<{ gen: number; status: string }>('GET', `/v1/sessions/${sid}`);
      expect({ sid, status }).toEqual({ sid, status: 200 });
      expect(body.gen).toBeGreaterThanOrEqual(gen);
      if (revoked) expect({ sid, status: body.status }).toEqual({ sid, status: 'revoked' });
    }
  }

  /** Repeats each refresh that had no answer, several times at once: one successor, and the session lives. */
  async expectSameSuccessors({ rest }: TestService): Promise<void> {
    for (const { sid, refreshToken, key } of this.pending) {
      const again = Array.from({ length: 2 + Math.floor(this.random() * 3) }, () =>
        rest.call<IssuedSession>(
          'POST',
          '/v1/sessions/refresh',
          { refreshToken },
          { 'idempotency-key': key },
        ),
      );
      const answers = await Promise.all(again);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
      const { body } = await rest.call<{ status: string }>('GET', `/v1/sessions/${sid}`);
      expect(body.status).toBe('active');
    }
  }

  /** @returns the refresh token before the last one; undefined when an answer did not come */
  private async refresh(
    service: TestService,
    session: Acknowledged,
    created: IssuedSession,
    refreshes: number,
  ): Promise<string | undefined> {
    let { refreshToken } = created;
    let superseded = '';
    for (let i = 0; i < refreshes; i += 1) {
      const retry = { sid: session.sid, refreshToken, key: freshKey() };
      const headers = { 'idempotency-key': retry.key };
      const rotated = await write<IssuedSession>(
        service,
        'POST',
        '/v1/sessions/refresh',
        { refreshToken },
        headers,
      );
      if (!rotated) {
        this.pending.push(retry);
        return undefined;
      }
      session.gen = rotated.gen;
      superseded = refreshToken;
      ({ refreshToken } = rotated);
    }
    return superseded;
  }

  private async end(
    service: TestService,
    session: Acknowledged,
    end: End,
    superseded: string,
  ): Promise<boolean> {
    const { sid, sub } = session;
    if (end === 'theft') {
      const { rest } = service;
      const answer = await rest
        .call('POST', '/v1/sessions/refresh', { refreshToken: superseded })
        .catch(() => undefined);
      session.revoked = answer?.status === 401;
      return session.revoked;
    }
    const path = end === 'mass' ? `/v1/users/${sub}/sessions` : `/v1/sessions/${sid}`;
    if (!(await write(service, 'DELETE', path, undefined))) return false;
    session.revoked = true;
    if (end === 'mass') for (const each of this.acknowledged) if (each.sub === sub) each.revoked = true;
    return true;
  }
}

/** The answer to a write; undefined when it failed or there was none. */
async function write<T>(
  { rest }: TestService,
  method: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T | undefined> {
  try {
    const answer = await rest.call<T>(method, path, body, headers);
    return answer.status < 300 ? answer.body : undefined;
  } catch {
    return undefined;
  }
}

/** kill -9 after some time, of the service and of a PostgreSQL if its pid is given; resolves when they are gone. */
export async function killAfter(ms: number, { child }: TestService, postgres?: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.signal('SIGKILL');
  if (postgres !== undefined) process.kill(postgres, 'SIGKILL');
  await child.ended();
  if (postgres !== undefined) await eventually(() => !isAlive(postgres), { what: 'the end of PostgreSQL' });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
