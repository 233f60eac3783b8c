import type { TokenSession } from '#application';
import {
  holds,
  REVOCATION_EVENT_TYPES,
  scopesOf,
  scopeStream,
  survivesAll,
  type Epochs,
  type PerScope,
  type ScopeRef,
  type ScopeState,
} from '#domain';
import { toRevocationMessage } from '../../revocation-message.js';
import { create, end, refresh, revokeScope, type Command, type MassRevocation } from './commands.js';
import { PlainDefinition, type Member } from './plain-definition.js';
import type { EpochNode, EpochRules } from './rules.js';
import { TinyLog } from './tiny-log.js';

/** One step of a schedule. Numbers name what is there, sessions from the newest on; they are taken modulo its count. */
export type Action =
  | { readonly do: 'create'; readonly sub: number; readonly client: number }
  | { readonly do: 'refresh'; readonly session: number; readonly flipped: boolean }
  | { readonly do: 'end'; readonly session: number }
  | {
      readonly do: 'revoke';
      readonly kind: ScopeRef['kind'];
      /** Of this session's user, client or tenant. */
      readonly session: number;
      /** Sessions of the scope; from `ANY_SESSION` on, any. */
      readonly except: readonly number[];
      /** 0: none. */
      readonly key: number;
      readonly flipped: boolean;
    }
  | { readonly do: 'step'; readonly command: number; readonly times: number }
  | { readonly do: 'deliver'; readonly node: number; readonly message: number };

export const ANY_SESSION = 8;

interface Session {
  readonly sid: string;
  readonly member: Member;
  ended: boolean;
}

interface HearingNode {
  readonly node: EpochNode;
  /** By scope: the highest number among the revocations that it got. */
  readonly heard: Map<string, number>;
  readonly ended: Set<string>;
}

interface Token {
  readonly session: TokenSession;
  /** How many events the log had when it was acknowledged. */
  readonly at: number;
}

const pick = <T>(items: readonly T[], index: number): T | undefined => items[index % items.length];

/** Concurrent commands on one log, the nodes that hear of it late, and the plain definition that judges both. */
export class World {
  readonly log = new TinyLog();
  readonly plain = new PlainDefinition();
  readonly tokens: Token[] = [];
  private readonly sessions: Session[] = [];
  private readonly nodes: readonly HearingNode[];
  private readonly revocations: (MassRevocation & { readonly at: number })[] = [];
  private running: Command[] = [];
  private names = 0;

  constructor(
    readonly rules: EpochRules,
    nodes = 2,
  ) {
    this.nodes = Array.from({ length: nodes }, () => ({
      node: rules.newNode(),
      heard: new Map<string, number>(),
      ended: new Set<string>(),
    }));
  }

  act(action: Action): void {
    switch (action.do) {
      case 'step':
        return this.step(action.command, action.times);
      case 'deliver':
        return this.deliver(action.node, action.message);
      case 'create': {
        const member = { tenant: 't', sub: `u${action.sub}`, client: `c${action.client}` };
        return this.start(create(this, this.newName('s'), member));
      }
      case 'revoke':
        return this.startRevocation(action);
      default: {
        const session = pick(this.sessions, action.session);
        if (!session) return;
        const { sid, member } = session;
        this.start(action.do === 'end' ? end(this, sid) : refresh(this, sid, member, action.flipped));
      }
    }
  }

  /** Everybody gets done, and every node hears of everything, each in an order of its own. */
  finish(): void {
    while (this.running.length > 0) this.step(0, Infinity);
    const last = this.messages().length - 1;
    this.nodes.forEach((_, node) => {
      for (let i = 0; i <= last; i++) this.deliver(node, node % 2 === 0 ? i : last - i);
      this.checkTokens(node);
    });
    this.checkRevocations();
  }

  scopesNow(member: Member): PerScope<ScopeState> {
    return scopesOf(member).map((scope) => this.log.scope(scope).state) as unknown as PerScope<ScopeState>;
  }

  created(sid: string, member: Member, seen: Epochs): void {
    this.sessions.unshift({ sid, member, ended: false });
    this.plain.created(sid, member, seen);
    this.check();
  }

  acknowledged(sid: string, member: Member, ep: Epochs): void {
    this.tokens.push({ session: { ...member, sid, ep }, at: this.log.events.length });
  }

  ended(sid: string): void {
    for (const session of this.sessions) session.ended ||= session.sid === sid;
    this.check();
  }

  scopeRevoked(asked: MassRevocation): void {
    this.plain.revoked(
      asked.scope,
      asked.except.map(({ sid }) => sid),
    );
    this.revocations.push({ ...asked, at: this.log.events.length });
    this.check();
  }

  repeated(asked: MassRevocation, answered: string): void {
    const first = this.sameCall(asked)[0]?.revocationId;
    if (first !== answered) throw new Error(`a repeated call was answered ${answered}, not ${first}`);
  }

  /** The streams say what the plain definition says. */
  check(): void {
    for (const { sid, member, ended } of this.sessions) {
      const { state } = this.log.session(sid);
      if (state.status === 'none') throw new Error(`no session ${sid}`);
      if (ended !== (state.status === 'ended')) throw new Error(`${sid} is ${state.status}`);
      const alive = survivesAll(this.scopesNow(member), state.ep, sid);
      if (alive === this.plain.isAlive(sid, (scope) => this.plain.countOf(scope))) continue;
      throw new Error(
        alive ? `${sid} lives, though it was ended` : `${sid} is dead, though it was always excepted`,
      );
    }
  }

  private start(command: Command): void {
    this.running.push(command);
  }

  private startRevocation(action: Extract<Action, { do: 'revoke' }>): void {
    const of = pick(this.sessions, action.session);
    const scope = of && scopesOf(of.member).find(({ kind }) => kind === action.kind);
    if (!scope) return;
    const inside = this.sessions.filter(({ member }) => holds(scope, member));
    const named = action.except.map((index) => pick(index < ANY_SESSION ? inside : this.sessions, index)!);
    const except = [...new Set(named)];
    const key = action.key === 0 ? {} : { idempotencyKeyHash: `key-${action.key}` };
    const revocationId = this.newName('r');
    this.start(revokeScope(this, { revocationId, scope, except, scopeFirst: !action.flipped, ...key }));
  }

  private step(index: number, times: number): void {
    const command = pick(this.running, index);
    for (let i = 0; command && i < times; i++) {
      if (!command.next().done) continue;
      this.running = this.running.filter((other) => other !== command);
      return;
    }
  }

  private messages() {
    const types: readonly string[] = REVOCATION_EVENT_TYPES;
    return this.log.events.filter(({ type }) => types.includes(type));
  }

  private deliver(index: number, number: number): void {
    const event = pick(this.messages(), number);
    const hearing = pick(this.nodes, index);
    if (!event || !hearing) return;
    const { node, heard, ended } = hearing;
    const message = toRevocationMessage(event);
    node.receive(message);
    if (message.scope === 'session') ended.add(message.sid);
    else heard.set(event.stream, Math.max(heard.get(event.stream) ?? 0, event.revision + 1));
    this.checkTokens(index);
  }

  /** A node refuses exactly what the revocations that it got have ended, however old the token is. */
  private checkTokens(index: number): void {
    const { node, heard, ended } = pick(this.nodes, index)!;
    for (const { session } of this.tokens) {
      const { sid } = session;
      const alive = !ended.has(sid) && this.plain.isAlive(sid, (scope) => heard.get(scopeStream(scope)) ?? 0);
      if (node.refuses(session) === alive) {
        throw new Error(`a node ${alive ? 'refuses a living' : 'accepts an ended'} session: ${sid}`);
      }
    }
  }

  /** Once more in the caller's words: what was acknowledged before a mass revocation has ended unless it was excepted. */
  private checkRevocations(): void {
    for (const revocation of this.revocations) {
      if (this.sameCall(revocation).length > 1) throw new Error('a repeated call raised the epoch again');
      for (const { session, at } of this.tokens) {
        const spared = revocation.except.some(({ sid }) => sid === session.sid);
        if (at >= revocation.at || spared || !holds(revocation.scope, session)) continue;
        if (this.nodes.some(({ node }) => !node.refuses(session)))
          throw new Error(`${session.sid} outlived ${revocation.revocationId}`);
      }
    }
  }

  private sameCall({ scope, idempotencyKeyHash: key, revocationId }: MassRevocation) {
    return this.revocations.filter((other) =>
      key === undefined
        ? other.revocationId === revocationId
        : other.idempotencyKeyHash === key && scopeStream(other.scope) === scopeStream(scope),
    );
  }

  private newName(prefix: string): string {
    return `${prefix}${this.names++}`;
  }
}
