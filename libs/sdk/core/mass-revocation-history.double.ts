import fc from 'fast-check';
import { type Revocation } from '../watch/protobuf.js';
import { NOBODY } from './deny-list.double.js';

type Epochs = readonly [number, number, number, number];

interface OpenSession {
  readonly sid: string;
  readonly tenant: string;
  readonly sub: string;
  readonly clientId: string;
  ep: Epochs;
}

/** An access token, and whether it lives by the plain definition: excepted in every mass revocation since. */
interface JudgedToken extends Readonly<OpenSession> {
  readonly lives: boolean;
}

export interface History {
  readonly tokens: readonly JudgedToken[];
  /** In the order of the log. */
  readonly messages: readonly Revocation[];
}

/** Ids that run into each other where they are only put together. */
const TENANTS = ['a', 'ab'];
const SUBS = ['bc', 'c'];
const CLIENTS = ['c', 'bc'];
const KINDS = ['user', 'client', 'tenant', 'global'] as const;

const scopeKeys = ({ tenant, sub, clientId }: Pick<OpenSession, 'tenant' | 'sub' | 'clientId'>): string[] => [
  JSON.stringify(['user', tenant, sub]),
  JSON.stringify(['client', tenant, clientId]),
  JSON.stringify(['tenant', tenant]),
  JSON.stringify(['global']),
];

/** The service as far as mass revocations go: the log of each scope, and nothing that is derived from it. */
class PlainService {
  readonly sessions: OpenSession[] = [];
  readonly tokens: OpenSession[] = [];
  readonly messages: Revocation[] = [];
  private readonly logs = new Map<string, ReadonlySet<string>[]>();
  private readonly maps = new Map<string, ReadonlyMap<string, number>>();

  lives(token: OpenSession): boolean {
    return scopeKeys(token).every((key, scope) =>
      this.logOf(key)
        .slice(token.ep[scope])
        .every((excepted) => excepted.has(token.sid)),
    );
  }

  create(tenant: string, sub: string, clientId: string): void {
    const sid = `s${this.sessions.length}`;
    const session: OpenSession = { sid, tenant, sub, clientId, ep: [0, 0, 0, 0] };
    session.ep = this.epochsOf(session);
    this.sessions.push(session);
    this.tokens.push({ ...session });
  }

  /** A rotation adopts the epochs, if the session lives; what it issued before stays as it was. */
  rotate(session: OpenSession): void {
    if (!this.lives(session)) return;
    session.ep = this.epochsOf(session);
    this.tokens.push({ ...session });
  }

  /** Spares those of the chosen sessions that live and belong to the scope: others would be refused. */
  revoke(scope: number, of: OpenSession, spared: readonly OpenSession[]): void {
    const key = scopeKeys(of)[scope]!;
    const alive = spared.filter((session) => scopeKeys(session)[scope] === key && this.lives(session));
    const epoch = this.logOf(key).push(new Set(alive.map(({ sid }) => sid)));
    const before = this.maps.get(key);
    const excepted = new Map(alive.map(({ sid }) => [sid, before?.get(sid) ?? epoch - 1]));
    this.maps.set(key, excepted);
    this.messages.push({
      ...NOBODY,
      scope: KINDS[scope]!,
      tenant: scope === 3 ? '' : of.tenant,
      sub: scope === 0 ? of.sub : '',
      clientId: scope === 1 ? of.clientId : '',
      epoch,
      excepted,
    });
  }

  private logOf(key: string): ReadonlySet<string>[] {
    const log = this.logs.get(key) ?? [];
    this.logs.set(key, log);
    return log;
  }

  private epochsOf(session: OpenSession): Epochs {
    return scopeKeys(session).map((key) => this.logOf(key).length) as unknown as Epochs;
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    tenant: fc.constantFrom(...TENANTS),
    sub: fc.constantFrom(...SUBS),
    client: fc.constantFrom(...CLIENTS),
  }),
  fc.record({ kind: fc.constant('rotate' as const), who: fc.nat(20) }),
  fc.record({
    kind: fc.constant('revoke' as const),
    scope: fc.nat(3),
    who: fc.nat(20),
    spared: fc.array(fc.nat(20), { maxLength: 6 }),
  }),
);

/** Random creations, rotations and mass revocations with exceptions. */
export const history: fc.Arbitrary<History> = fc
  .array(step, { minLength: 3, maxLength: 40, size: 'max' })
  .map((steps) => {
    const service = new PlainService();
    service.create('a', 'bc', 'c');
    const { sessions } = service;
    const chosen = (who: number): OpenSession => sessions[who % sessions.length]!;
    for (const made of steps) {
      if (made.kind === 'create') service.create(made.tenant, made.sub, made.client);
      else if (made.kind === 'rotate') service.rotate(chosen(made.who));
      else service.revoke(made.scope, chosen(made.who), made.spared.map(chosen));
    }
    const tokens = service.tokens.map((token) => ({ ...token, lives: service.lives(token) }));
    return { tokens, messages: service.messages };
  });

/** Each message at least once, some more often, in any order. */
export const delivered = ({ messages }: History): fc.Arbitrary<Revocation[]> =>
  messages.length === 0
    ? fc.constant([])
    : fc
        .array(fc.constantFrom(...messages), { maxLength: 10 })
        .chain((again) =>
          fc.shuffledSubarray([...messages, ...again], { minLength: messages.length + again.length }),
        );
