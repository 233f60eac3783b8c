import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Session, VerifyOptions } from '../core/curfew.types.js';
import { CurfewSdkError, stale } from '../core/error.js';
import type {
  CreateOptions,
  NewSession,
  IssuedSession,
  RefreshOptions,
  RevokeOptions,
  SessionsClient,
} from '../http/sessions-client.types.js';
import type { SessionNode } from './facts.js';
import { tokenRefused } from './sdk-error.js';

interface StoredSession {
  readonly sid: string;
  readonly sub: string;
  gen: number;
  /** Key of the last rotation, and the access token that it gave out. */
  lastKey: string | undefined;
  accessToken: string;
  alive: boolean;
}

type Call = readonly [name: string, ...args: readonly unknown[]];

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A refresh token of the right shape; nothing in it is secret. */
export function refreshTokenOf(sid: string, gen: number, macKeyId = 1): string {
  const head = Buffer.alloc(23);
  head.writeUInt8(1, 0);
  head.writeUInt16BE(macKeyId, 1);
  head.write(sid, 3, 'hex');
  head.writeUInt32BE(gen, 19);
  const body = Buffer.concat([head, hashOf(`secret ${sid} ${gen}`), hashOf(`mac ${sid} ${gen} ${macKeyId}`)]);
  return `cfr_${body.toString('base64url')}`;
}

export function accessTokenOf(claims: Readonly<Record<string, unknown>>): string {
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encoded({ typ: 'at+jwt' })}.${encoded(claims)}.${hashOf(JSON.stringify(claims)).toString('base64url')}`;
}

/**
 * A node and its service in memory, for specs: the refresh table of DESIGN §5 with `reuseGrace` 0, so that every presentation that
 * only the grace would forgive ends the session and is seen.
 */
export class SessionNodeDouble implements SessionNode {
  readonly calls: Call[] = [];
  /** Thrown by every `verify` while set. */
  verifyError: Error | undefined;
  /** How old its memory is. */
  leaseAgeMs = 0;
  /** Thrown by a `verify` that asks for a younger one. */
  tooOld = stale('too old');
  /** Thrown by every service call while set. */
  serviceError: Error | undefined;
  /** Runs after a refresh has been decided and before it is answered. */
  afterRefresh: () => void = () => undefined;
  /** Runs after a session has been created and before it is answered. */
  afterCreate: () => void = () => undefined;
  /** For a spec to meet a route in the middle of something. */
  readonly events = new EventEmitter();
  /** Answers hold no access token while true, as when the service was slow. */
  slow = false;
  theftDetected = false;
  private readonly stored = new Map<string, StoredSession>();
  private readonly goodTokens = new Map<string, Session>();
  private issuedTokens = 0;

  readonly sessions: SessionsClient = {
    create: async (input, options) => this.create(input, options),
    refresh: async (token, options) => this.refresh(token, options),
    get: async () => Promise.reject(new Error('not in this double')),
    listByUser: async (sub, options) => {
      this.called('listByUser', sub, options);
      const own = [...this.stored.values()].filter((session) => session.sub === sub && session.alive);
      return Promise.resolve({ sessions: own.map(({ sid }) => ({ sid }) as never) });
    },
    revoke: async (sid, options) => this.revoke(sid, options),
    revokeOfUser: async (sub, sid, options) => {
      this.called('revokeOfUser', sub, sid, options);
      if (this.stored.get(sid)?.sub !== sub) throw new CurfewSdkError('ERR_NOT_FOUND', 404, 'Not found');
      return Promise.resolve(this.end(sid));
    },
    revokeAll: async () => Promise.reject(new Error('not in this double')),
    receipt: async () => Promise.reject(new Error('not in this double')),
  };

  async verify(token: string, { maxStaleness = Infinity }: VerifyOptions = {}): Promise<Session> {
    if (this.verifyError !== undefined) throw this.verifyError;
    if (maxStaleness <= this.leaseAgeMs) throw this.tooOld;
    const session = this.goodTokens.get(token);
    if (session === undefined || this.stored.get(session.sid)?.alive !== true) throw tokenRefused();
    return Promise.resolve(session);
  }

  /** Time passes: no access token issued so far is good any more. */
  expireAccessTokens(): void {
    this.goodTokens.clear();
  }

  isAlive(sid: string): boolean {
    return this.stored.get(sid)?.alive === true;
  }

  called(...call: Call): void {
    this.calls.push(call);
    if (this.serviceError !== undefined) throw this.serviceError;
  }

  callsOf(name: string): readonly (readonly unknown[])[] {
    return this.calls.filter(([called]) => called === name).map(([, ...args]) => args);
  }

  private async create(input: NewSession, options?: CreateOptions): Promise<IssuedSession> {
    this.called('create', input, options);
    if (input.replaces !== undefined) this.end(input.replaces);
    const sid = hashOf(`sid ${this.stored.size}`).subarray(0, 16).toString('hex');
    const session = { sid, sub: input.sub, gen: 0, lastKey: undefined, accessToken: '', alive: true };
    this.stored.set(sid, session);
    const issued = this.issue(session, true);
    this.afterCreate();
    return Promise.resolve(issued);
  }

  private async refresh(token: string, options: RefreshOptions = {}): Promise<IssuedSession> {
    this.called('refresh', token, options);
    const session = [...this.stored.values()].find(({ sid, gen }) =>
      Array.from({ length: gen + 1 }, (_, at) => refreshTokenOf(sid, at)).includes(token),
    );
    if (session?.alive !== true) throw tokenRefused();
    const { idempotencyKey } = options;
    if (token === refreshTokenOf(session.sid, session.gen)) {
      if (idempotencyKey === session.lastKey && idempotencyKey !== undefined) {
        throw new CurfewSdkError('ERR_IDEMPOTENCY_KEY_REUSED', 422, 'Key reused');
      }
      session.gen += 1;
      session.lastKey = idempotencyKey;
      const issued = this.issue(session, true);
      this.afterRefresh();
      return Promise.resolve(issued);
    }
    const replay =
      token === refreshTokenOf(session.sid, session.gen - 1) && idempotencyKey === session.lastKey;
    if (replay) return Promise.resolve(this.issue(session, false));
    session.alive = false;
    this.theftDetected = true;
    throw tokenRefused();
  }

  private async revoke(sid: string, options?: RevokeOptions) {
    this.called('revoke', sid, options);
    if (!this.stored.has(sid)) throw new CurfewSdkError('ERR_NOT_FOUND', 404, 'Not found');
    return Promise.resolve(this.end(sid));
  }

  private end(sid: string): { revoked: boolean; revocationId: string; position: string } {
    const session = this.stored.get(sid);
    const revoked = session?.alive === true;
    if (session !== undefined) session.alive = false;
    return { revoked, revocationId: sid, position: '1' };
  }

  private issue(session: StoredSession, fresh: boolean): IssuedSession {
    const { sid, sub, gen } = session;
    const now = Math.floor(Date.now() / 1000);
    if (fresh && !this.slow) this.grant(session, now + 300);
    const withAccess = !this.slow && this.goodTokens.has(session.accessToken);
    return {
      sid,
      refreshToken: refreshTokenOf(sid, gen),
      refreshExpiresAt: now + 86_400,
      ...(withAccess ? { accessToken: session.accessToken, accessExpiresAt: now + 300 } : {}),
      gen,
      position: sub,
    };
  }

  private grant(session: StoredSession, expiresAt: number): void {
    const { sid, sub, gen } = session;
    this.issuedTokens += 1;
    session.accessToken = accessTokenOf({ sid, sub, gen, tenant: 'default', jti: this.issuedTokens });
    const tenant = 'default';
    const claims = { sid, sub } as unknown as Session['claims'];
    this.goodTokens.set(session.accessToken, {
      sid,
      sub,
      tenant,
      clientId: 'default',
      gen,
      expiresAt,
      claims,
    });
  }
}
