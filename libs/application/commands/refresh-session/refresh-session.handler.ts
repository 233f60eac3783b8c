import { randomBytes } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CurfewError, type IssuedSession } from '#contracts';
import {
  decideRefresh,
  deriveSuccessor,
  evolve,
  hashIdempotencyKey,
  hashSecret,
  readRefreshToken,
  sessionStream,
  type OpenSession,
  type Refresh,
  type RefreshDecision,
  type RefreshToken,
  type Sealed,
  type SessionState,
} from '#domain';
import { CommandTimes, type CommandTime } from '../../command-time.js';
import { decideUntilAppended } from '../../decision-loop.js';
import { EVENT_LOG, type EventLog, type Position } from '../../ports/event-log.port.js';
import {
  PERSONAL_DATA_VAULT,
  REFRESH_TOKEN_KEYS,
  type PersonalDataVault,
  type RefreshTokenKeys,
} from '../../ports/keys.port.js';
import { SECURITY_SIGNALS, type SecuritySignals } from '../../ports/security-signals.port.js';
import { originOf, recorded } from '../../recording.js';
import { SessionIssuer } from '../../session-issuer.js';
import { SessionRepository, type LoadedSession } from '../../session-repository.js';
import { isVisible } from '../../tenancy.js';
import { deriveForward } from './derive-forward.js';
import { RefreshSession } from './refresh-session.command.js';

const SALT_BYTES = 32;

/** What one command keeps over its rounds. */
interface Presentation {
  readonly command: RefreshSession;
  readonly time: CommandTime;
  readonly token: RefreshToken;
  /** Set by the first load. */
  firstLoadGen?: number | undefined;
  device?: Sealed | undefined;
}

@CommandHandler(RefreshSession)
export class RefreshSessionHandler implements ICommandHandler<RefreshSession> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly sessions: SessionRepository,
    private readonly times: CommandTimes,
    private readonly issuer: SessionIssuer,
    @Inject(REFRESH_TOKEN_KEYS) private readonly keys: RefreshTokenKeys,
    @Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault,
    @Inject(SECURITY_SIGNALS) private readonly signals: SecuritySignals,
  ) {}

  async execute(command: RefreshSession): Promise<IssuedSession> {
    const time = this.times.receive();
    const token = readRefreshToken(command.input.refreshToken, (id) => this.keys.macKey(id));
    if (!token) {
      this.signals.count('refresh-not-authentic');
      throw new CurfewError('ERR_TOKEN_REFUSED');
    }
    const presentation: Presentation = { command, time, token };
    return decideUntilAppended(time, () => this.round(presentation));
  }

  private async round(presentation: Presentation): Promise<IssuedSession> {
    const { token, command, time } = presentation;
    const loaded = await this.sessions.load(token.sid);
    const { state } = loaded;
    if (state.status === 'none') throw this.refusal('generation-ahead', token);
    if (!isVisible(command.context.caller, undefined, state.facts.tenant))
      throw new CurfewError('ERR_TOKEN_REFUSED');
    presentation.firstLoadGen ??= state.gen;
    presentation.device ??= await this.sealDevice(presentation, state);

    const decision = decideRefresh(state, await this.refreshOf(presentation, loaded));
    const position = await this.append(presentation, loaded, decision);
    switch (decision.outcome) {
      case 'refused':
        throw this.refusal(decision.cause, token);
      case 'key-reused':
        throw new CurfewError('ERR_IDEMPOTENCY_KEY_REUSED', { field: 'Idempotency-Key' });
      case 'theft':
        this.signals.alarm('theft-detected', token.sid);
        throw new CurfewError('ERR_TOKEN_REFUSED');
    }
    const answer = await this.answer(
      presentation,
      decision.events.reduce(evolve, state),
      decision.gen,
      position,
    );
    // What a late replay gives out may have been superseded long ago: it would look like theft when it is used.
    if (decision.outcome === 'replayed' && time.isLate()) throw new CurfewError('ERR_TOO_LATE');
    this.signals.count(decision.outcome === 'rotated' ? 'refresh-rotated' : 'refresh-replayed');
    return answer;
  }

  private async refreshOf(presentation: Presentation, { state, scopes }: LoadedSession): Promise<Refresh> {
    const { token, command, time, firstLoadGen, device } = presentation;
    const { gen, secret } = token;
    const { macKeyId, pepperId } = this.keys.current;
    const pepper = this.keys.pepper(pepperId);
    if (!pepper) throw new Error(`pepper ${pepperId} is missing`);
    const salt = randomBytes(SALT_BYTES);
    const key = command.input.idempotencyKey;
    const forgotten = state.status === 'open' && gen < state.gen && !state.generations.has(gen);
    const olderGeneration = forgotten ? await this.sessions.loadGeneration(token.sid, gen) : undefined;
    return {
      now: time.now,
      sentAt: this.times.sentAt(),
      sid: token.sid,
      scopes,
      presented: { gen, secretHash: hashSecret(secret) },
      ...(olderGeneration === undefined ? {} : { olderGeneration }),
      firstLoadGen: firstLoadGen ?? -1,
      ...(key === undefined ? {} : { idempotencyKeyHash: hashIdempotencyKey(key) }),
      successor: {
        secretHash: hashSecret(deriveSuccessor(secret, salt, pepper)),
        salt: salt.toString('base64url'),
        pepperId,
        macKeyId,
      },
      ...(device === undefined ? {} : { device }),
    };
  }

  /** @returns the position of the append, or of the stream's last event when nothing is to be written. */
  private async append(
    { command, time, token }: Presentation,
    { state, revision, position }: LoadedSession,
    { events, outcome }: RefreshDecision,
  ): Promise<Position> {
    if (events.length === 0 || state.status === 'none') return position;
    time.assertInTime();
    const recording = {
      ...originOf(command.context),
      tenant: state.facts.tenant,
      initiator: outcome === 'theft' ? ('system' as const) : ('user' as const),
      recordedAt: this.times.sentAt(),
    };
    return this.log.append([
      {
        stream: sessionStream(token.sid),
        expectedRevision: revision,
        events: events.map((event) => recorded(event, recording)),
      },
    ]);
  }

  private answer(
    { token, time }: Presentation,
    state: SessionState,
    gen: number,
    position: Position,
  ): Promise<IssuedSession> {
    const session = state as OpenSession;
    const generation = session.generations.get(gen);
    if (!generation) throw new Error(`generation ${gen} is not in the state`);
    const secret = deriveForward(token, gen, session.generations, (id) => this.keys.pepper(id));
    return this.issuer.issue({ time, sid: token.sid, session, generation, secret, position });
  }

  private async sealDevice({ command }: Presentation, state: SessionState): Promise<Sealed | undefined> {
    const { device } = command.input;
    if (!device || state.status !== 'open') return undefined;
    return this.vault.seal(state.facts.tenant, state.facts.sub, device);
  }

  private refusal(
    cause: Extract<RefreshDecision, { outcome: 'refused' }>['cause'],
    { sid }: RefreshToken,
  ): CurfewError {
    this.signals.count('refresh-refused');
    if (cause === 'wrong-secret') this.signals.alarm('refresh-token-forged', sid);
    if (cause === 'generation-ahead' || cause === 'unknown')
      this.signals.alarm('refresh-token-ahead-of-log', sid);
    return new CurfewError('ERR_TOKEN_REFUSED');
  }
}
