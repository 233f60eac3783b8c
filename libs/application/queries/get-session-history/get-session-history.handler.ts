import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError, secrecyOf } from '#contracts';
import { isSid, sessionStream, type Sealed } from '#domain';
import { EVENT_LOG, type EventLog, type RecordedEvent } from '../../ports/event-log.port.js';
import { PERSONAL_DATA_VAULT, type PersonalDataVault } from '../../ports/keys.port.js';
import { isVisible } from '../../tenancy.js';
import { GetSessionHistory, type HistoryEvent, type HistoryPage } from './get-session-history.query.js';

const DEFAULT_LIMIT = 100;
const CURSOR = /^[0-9]{1,9}$/;

interface Owner {
  readonly tenant: string;
  readonly sub: string;
}

@QueryHandler(GetSessionHistory)
export class GetSessionHistoryHandler implements IQueryHandler<GetSessionHistory> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault,
  ) {}

  async execute({ context, input }: GetSessionHistory): Promise<HistoryPage> {
    const { sid, limit = DEFAULT_LIMIT } = input;
    const owner = isSid(sid) ? await this.ownerOf(sid) : undefined;
    if (!owner || !isVisible(context.caller, input.tenant, owner.tenant))
      throw new CurfewError('ERR_NOT_FOUND');
    const from = fromCursor(input.cursor);
    const { events, revision } = await this.log.readStream(sessionStream(sid), { from, max: limit });
    const opened = context.caller.scopes.includes('personal-data:read') ? owner : undefined;
    const last = events.at(-1)?.revision ?? revision;
    return {
      events: await Promise.all(events.map((event) => this.present(event, opened))),
      ...(last < revision ? { nextCursor: String(last + 1) } : {}),
    };
  }

  private async ownerOf(sid: string): Promise<Owner | undefined> {
    const { events } = await this.log.readStream(sessionStream(sid), { max: 1 });
    return events[0]?.data as Owner | undefined;
  }

  private async present(event: RecordedEvent, opened: Owner | undefined): Promise<HistoryEvent> {
    const { id, type, revision, position, metadata } = event;
    const { recordedAt, actor, initiator, correlationId } = metadata;
    const data: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(event.data)) {
      const secrecy = secrecyOf(name);
      if (secrecy === 'open') data[name] = value;
      else if (secrecy === 'sealed' && opened)
        data[name] = await this.vault.unseal(opened.tenant, opened.sub, value as Sealed);
    }
    return { id, type, revision, position, recordedAt, actor, initiator, correlationId, data };
  }
}

function fromCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!CURSOR.test(cursor)) throw new CurfewError('ERR_VALIDATION', { field: 'cursor' });
  return Number(cursor);
}
