import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CurfewError } from '#contracts';
import { decideRevoke, isSid, sessionStream, type EndedSession, type OpenSession } from '#domain';
import { CommandTimes, type CommandTime } from '../../command-time.js';
import { decideUntilAppended } from '../../decision-loop.js';
import { EVENT_LOG, type EventLog } from '../../ports/event-log.port.js';
import { PERSONAL_DATA_VAULT, type PersonalDataVault } from '../../ports/keys.port.js';
import { originOf, recorded } from '../../recording.js';
import { SessionRepository, wasMassRevoked } from '../../session-repository.js';
import { isVisible } from '../../tenancy.js';
import { RevokeSession, type RevokedSession } from './revoke-session.command.js';

@CommandHandler(RevokeSession)
export class RevokeSessionHandler implements ICommandHandler<RevokeSession> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly sessions: SessionRepository,
    private readonly times: CommandTimes,
    @Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault,
  ) {}

  execute(command: RevokeSession): Promise<RevokedSession> {
    const time = this.times.receive();
    return decideUntilAppended(time, () => this.round(command, time));
  }

  private async round(command: RevokeSession, time: CommandTime): Promise<RevokedSession> {
    const { sid, note } = command.input;
    if (!isSid(sid)) throw new CurfewError('ERR_NOT_FOUND');
    const session = await this.sessions.load(sid);
    const { state, revision, position } = session;
    if (state.status === 'none' || !this.mayEnd(command, state)) throw new CurfewError('ERR_NOT_FOUND');
    const { tenant, sub } = state.facts;
    const sealedNote = note === undefined ? undefined : await this.vault.seal(tenant, sub, { note });

    const recordedAt = this.times.sentAt();
    const { reason = 'admin', initiator = 'admin' } = command.input;
    const revoke = {
      now: recordedAt,
      reason,
      initiator,
      ...(sealedNote === undefined ? {} : { note: sealedNote }),
    };
    const events = wasMassRevoked(sid, session) ? [] : decideRevoke(state, revoke);
    if (events.length === 0) {
      // What was read may be the end of a revoke that was never acknowledged, or of a deposed primary: this answer promises G2 too.
      await this.log.confirm();
      return { revoked: false, revocationId: sid, position };
    }
    time.assertInTime();
    const recording = { ...originOf(command.context), tenant, initiator, recordedAt };
    const appended = await this.log.append([
      {
        stream: sessionStream(sid),
        expectedRevision: revision,
        events: events.map((event) => recorded(event, recording)),
      },
    ]);
    return { revoked: true, revocationId: sid, position: appended };
  }

  private mayEnd({ context, input }: RevokeSession, { facts }: OpenSession | EndedSession): boolean {
    return (
      isVisible(context.caller, input.tenant, facts.tenant) &&
      (input.sub === undefined || input.sub === facts.sub)
    );
  }
}
