import { randomBytes } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CurfewError, type IssuedSession } from '#contracts';
import {
  accessExpiry,
  decideCreate,
  epochsOf,
  evolve,
  hashIdempotencyKey,
  hashSecret,
  initialState,
  sessionStream,
  userStream,
  type Admission,
  type CreateDecision,
  type OpenSession,
  type Sealed,
  type SessionCreated,
  type SessionFacts,
  type UserState,
} from '#domain';
import { CommandTimes, type CommandTime } from '../../command-time.js';
import { decideUntilAppended } from '../../decision-loop.js';
import { EVENT_LOG, type EventLog, type Position, type StreamAppend } from '../../ports/event-log.port.js';
import {
  PERSONAL_DATA_VAULT,
  REFRESH_TOKEN_KEYS,
  type PersonalDataVault,
  type RefreshTokenKeys,
} from '../../ports/keys.port.js';
import { originOf, recorded } from '../../recording.js';
import { SessionIssuer } from '../../session-issuer.js';
import {
  SessionRepository,
  wasMassRevoked,
  type LoadedSession,
  type LoadedUser,
} from '../../session-repository.js';
import { SESSION_SETTINGS, type SessionSettings } from '../../settings.js';
import { tenantOf } from '../../tenancy.js';
import { CreateSession } from './create-session.command.js';

const DEFAULT_CLIENT = 'default';
/** How many of a user's sessions one create looks at. */
const EXAMINED_PER_CREATE = 64;

/** The oldest half, and a window that moves on with every create, so that long-lived old sessions hide no dead ones. */
function toExamine(user: UserState, revision: number): readonly Admission[] {
  const { admitted } = user;
  if (admitted.length <= EXAMINED_PER_CREATE) return admitted;
  const half = EXAMINED_PER_CREATE / 2;
  const start = (Math.max(0, revision) * half) % admitted.length;
  return [...admitted.slice(0, half), ...admitted.slice(start, start + half)];
}

/** What one command keeps over its rounds. */
interface Creation {
  readonly command: CreateSession;
  readonly time: CommandTime;
  readonly sid: string;
  readonly secret: Uint8Array;
  readonly facts: SessionFacts;
  readonly device?: Sealed;
  readonly idempotencyKeyHash?: string;
  firstLoadRevision?: number;
}

@CommandHandler(CreateSession)
export class CreateSessionHandler implements ICommandHandler<CreateSession> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly sessions: SessionRepository,
    private readonly times: CommandTimes,
    private readonly issuer: SessionIssuer,
    @Inject(REFRESH_TOKEN_KEYS) private readonly keys: RefreshTokenKeys,
    @Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault,
    @Inject(SESSION_SETTINGS) private readonly settings: SessionSettings,
  ) {}

  async execute(command: CreateSession): Promise<IssuedSession> {
    const time = this.times.receive();
    const { caller } = command.context;
    if (command.input.replaces !== undefined && !caller.scopes.includes('sessions:revoke')) {
      throw new CurfewError('ERR_FORBIDDEN', {
        detail: 'replaces needs the scope sessions:revoke',
        field: 'replaces',
      });
    }
    const creation = await this.prepare(command, time);
    return decideUntilAppended(time, () => this.round(creation));
  }

  private async prepare(command: CreateSession, time: CommandTime): Promise<Creation> {
    const { input } = command;
    const key = input.idempotencyKey;
    if (!this.settings.allowEmailSub && input.sub.includes('@')) {
      throw new CurfewError('ERR_VALIDATION', {
        field: 'sub',
        detail: 'sub must be a pseudonym, not an e-mail address',
      });
    }
    const tenant = tenantOf(command.context.caller, input.tenant);
    const facts: SessionFacts = {
      sub: input.sub,
      tenant,
      client: input.client ?? DEFAULT_CLIENT,
      roles: input.roles ?? [],
      authTime: input.authTime ?? Math.floor(time.now / 1000),
      ...(input.acr === undefined ? {} : { acr: input.acr }),
      ...(input.amr === undefined ? {} : { amr: input.amr }),
      policy: {
        accessTtl: this.settings.accessTtl,
        idleTimeout: this.settings.idleTimeout,
        absoluteTimeout: this.settings.absoluteTimeout,
        reuseGrace: this.settings.reuseGrace,
      },
      createdAt: time.now,
    };
    this.issuer.assertFits(facts, input.claims);
    const [device, claims] = await Promise.all([
      input.device && this.vault.seal(tenant, input.sub, input.device),
      input.claims && this.vault.seal(tenant, input.sub, input.claims),
    ]);
    return {
      command,
      time,
      sid: randomBytes(16).toString('hex'),
      secret: randomBytes(32),
      facts: claims ? { ...facts, claims } : facts,
      ...(device ? { device } : {}),
      ...(key === undefined ? {} : { idempotencyKeyHash: hashIdempotencyKey(key) }),
    };
  }

  private async round(creation: Creation): Promise<IssuedSession> {
    const { facts, time, sid, secret } = creation;
    const user = await this.sessions.loadUser(facts.tenant, facts.sub, facts.client);
    creation.firstLoadRevision ??= user.revision;
    const examined = await this.examine(creation, user);

    const decision = decideCreate(
      user.state,
      new Map([...examined].map(([examinedSid, { state }]) => [examinedSid, state])),
      this.createOf(creation, user, creation.firstLoadRevision, massRevoked(examined)),
    );
    if (decision.outcome === 'superseded') throw new CurfewError('ERR_CREATE_SUPERSEDED');
    const position = await this.append(creation, user, examined, decision);

    const session = evolve(initialState, decision.created) as OpenSession;
    const generation = session.generations.get(0);
    if (!generation) throw new Error('a new session has its first generation');
    return this.issuer.issue({ time, sid, session, generation, secret, position });
  }

  private async examine(
    creation: Creation,
    { state: user, revision }: LoadedUser,
  ): Promise<ReadonlyMap<string, LoadedSession>> {
    const { command, facts, idempotencyKeyHash: key } = creation;
    const { replaces } = command.input;
    const sids = new Set(toExamine(user, revision).map(({ sid }) => sid));
    for (const admission of user.admitted) {
      if (key !== undefined && admission.idempotencyKeyHash === key) sids.add(admission.sid);
    }
    if (replaces !== undefined) sids.add(replaces);
    if (sids.size === 0) return new Map();
    const loaded = new Map(await this.sessions.loadAll([...sids]));
    const replaced = replaces === undefined ? undefined : loaded.get(replaces)?.state;
    if (
      replaces !== undefined &&
      !(replaced && 'facts' in replaced && replaced.facts.tenant === facts.tenant)
    ) {
      // A session of another tenant is left alone, as if it did not exist (G10).
      loaded.delete(replaces);
    }
    return loaded;
  }

  private createOf(
    creation: Creation,
    user: LoadedUser,
    firstLoadRevision: number,
    passed: ReadonlySet<string>,
  ) {
    const { command, time, sid, secret, facts, device, idempotencyKeyHash: key } = creation;
    const { createdAt, ...rest } = facts;
    const created: SessionCreated['data'] = {
      ...rest,
      macKeyId: this.keys.current.macKeyId,
      secretHash: hashSecret(secret),
      at: createdAt,
      accessExp: accessExpiry({ facts, lastActiveAt: createdAt }, time.now),
      ep: epochsOf(user.scopes),
      ...(device === undefined ? {} : { device }),
    };
    return {
      now: time.now,
      sid,
      created,
      firstLoadRevision,
      epochPassed: passed,
      ...(key === undefined ? {} : { idempotencyKeyHash: key }),
      ...(command.input.replaces === undefined ? {} : { replaces: command.input.replaces }),
    };
  }

  private async append(
    { command, time, sid, facts }: Creation,
    user: LoadedUser,
    examined: ReadonlyMap<string, LoadedSession>,
    decision: Extract<CreateDecision, { outcome: 'created' }>,
  ): Promise<Position> {
    const { tenant, sub } = facts;
    const recordedAt = this.times.sentAt();
    const recording = { ...originOf(command.context), tenant, initiator: 'user' as const, recordedAt };
    const ends: StreamAppend[] = [...decision.ends].map(([endedSid, events]) => ({
      stream: sessionStream(endedSid),
      expectedRevision: examined.get(endedSid)?.revision ?? -1,
      events: events.map((event) => recorded(event, { ...recording, initiator: 'system' })),
    }));
    time.assertInTime();
    return this.log.append([
      ...ends,
      {
        stream: userStream(tenant, sub),
        expectedRevision: user.revision,
        events: [recorded(decision.admitted, recording)],
      },
      { stream: sessionStream(sid), expectedRevision: -1, events: [recorded(decision.created, recording)] },
    ]);
  }
}

const massRevoked = (examined: ReadonlyMap<string, LoadedSession>): ReadonlySet<string> =>
  new Set([...examined].filter(([sid, session]) => wasMassRevoked(sid, session)).map(([sid]) => sid));
