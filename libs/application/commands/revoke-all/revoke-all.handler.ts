import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CurfewError, type MassRevoked } from '#contracts';
import { decideRevokeScope, hashIdempotencyKey, isSid, scopeStream, type ScopeRef } from '#domain';
import type { Caller } from '../../caller.js';
import { CommandTimes, type CommandTime } from '../../command-time.js';
import { decideUntilAppended } from '../../decision-loop.js';
import { EVENT_LOG, type EventLog } from '../../ports/event-log.port.js';
import { originOf, recorded } from '../../recording.js';
import { SessionRepository } from '../../session-repository.js';
import { assertReachesAll, tenantOf } from '../../tenancy.js';
import { RevokeAll, type RevokeAllInput } from './revoke-all.command.js';

const MOST_EXCEPTIONS = 32;
/** Events of a global scope belong to no tenant. */
const NO_TENANT = '';

@CommandHandler(RevokeAll)
export class RevokeAllHandler implements ICommandHandler<RevokeAll> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly sessions: SessionRepository,
    private readonly times: CommandTimes,
  ) {}

  async execute(command: RevokeAll): Promise<MassRevoked> {
    const time = this.times.receive();
    const { caller } = command.context;
    assertMayRevoke(caller, command.input);
    const scope = scopeOf(caller, command.input);
    const revocationId = randomUUID();
    return decideUntilAppended(time, () => this.round(command, time, scope, revocationId));
  }

  private async round(
    { context, input }: RevokeAll,
    time: CommandTime,
    scope: ScopeRef,
    revocationId: string,
  ): Promise<MassRevoked> {
    const { state, revision, position } = await this.sessions.loadScope(scope);
    const now = this.times.sentAt();
    const { reason = 'admin', initiator = 'admin', idempotencyKey } = input;
    const decision = decideRevokeScope(state, {
      scope,
      revocationId,
      now,
      reason,
      initiator,
      exceptions: await this.exceptions(input.except ?? []),
      ...(idempotencyKey === undefined ? {} : { idempotencyKeyHash: hashIdempotencyKey(idempotencyKey) }),
    });
    if (decision.outcome === 'exception-refused') {
      throw new CurfewError('ERR_EXCEPTION_NOT_ALIVE', { field: 'except' });
    }
    if (decision.outcome === 'key-reused') {
      throw new CurfewError('ERR_IDEMPOTENCY_KEY_REUSED', { field: 'Idempotency-Key' });
    }
    if (decision.outcome === 'repeated') {
      // The first call may never have been acknowledged: this answer promises G2 for it.
      await this.log.confirm();
      const { epoch, revocationId: first } = decision.first;
      return { revocationId: first, epoch, repeated: true, position };
    }
    time.assertInTime();
    const tenant = scope.kind === 'global' ? NO_TENANT : scope.tenant;
    const event = recorded(decision.event, { ...originOf(context), tenant, initiator, recordedAt: now });
    const appended = await this.log.append([
      { stream: scopeStream(scope), expectedRevision: revision, events: [event] },
    ]);
    return { revocationId, epoch: decision.event.data.epoch, repeated: false, position: appended };
  }

  private async exceptions(except: readonly string[]) {
    const sids = [...new Set(except)];
    if (sids.length > MOST_EXCEPTIONS) {
      throw new CurfewError('ERR_VALIDATION', {
        field: 'except',
        detail: `at most ${MOST_EXCEPTIONS} sessions can be spared`,
      });
    }
    if (sids.some((sid) => !isSid(sid)))
      throw new CurfewError('ERR_EXCEPTION_NOT_ALIVE', { field: 'except' });
    if (sids.length === 0) return [];
    const loaded = await this.sessions.loadAll(sids);
    return [...loaded].map(([sid, { state, scopes }]) => ({ sid, session: state, scopes }));
  }
}

/** Who may end each session of a user may end them all; wider scopes need a right of their own. */
function assertMayRevoke({ scopes }: Caller, { scope }: RevokeAllInput): void {
  if (scopes.includes('scopes:revoke')) return;
  if (scope === 'user' && scopes.includes('sessions:revoke')) return;
  throw new CurfewError('ERR_FORBIDDEN', { detail: 'this needs the scope scopes:revoke' });
}

/** @throws CurfewError ERR_VALIDATION for a field that is missing or does not belong to the scope; as `tenantOf` */
function scopeOf(caller: Caller, { scope: kind, tenant, sub, client }: RevokeAllInput): ScopeRef {
  assertOnly('sub', sub, kind === 'user');
  assertOnly('client', client, kind === 'client');
  if (kind === 'global') {
    if (tenant !== undefined)
      throw new CurfewError('ERR_VALIDATION', { field: 'tenant', detail: 'not with global' });
    assertReachesAll(caller);
    return { kind };
  }
  const named = tenantOf(caller, tenant);
  if (kind === 'user') return { kind, tenant: named, sub: sub! };
  return kind === 'client' ? { kind, tenant: named, client: client! } : { kind, tenant: named };
}

function assertOnly(field: string, value: string | undefined, wanted: boolean): void {
  if ((value !== undefined) === wanted) return;
  const detail = wanted ? `the scope needs ${field}` : `the scope has no ${field}`;
  throw new CurfewError('ERR_VALIDATION', { field, detail });
}
