import { Inject, Injectable } from '@nestjs/common';
import type { DeviceInput, SessionInfo } from '#contracts';
import { endedBy, type EndedSession, type OpenSession, type PerScope, type ScopeState } from '#domain';
import type { Caller } from './caller.js';
import { PERSONAL_DATA_VAULT, type PersonalDataVault } from './ports/keys.port.js';
import type { SessionView } from './ports/session-views.port.js';

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** What a session is judged by, beside its own events. */
export interface Judgement {
  /** Reference time, ms. */
  readonly now: number;
  readonly scopes: PerScope<ScopeState>;
}

/** Turns a view into an answer: applies timeouts and epochs, and opens personal data for those who may see it. */
@Injectable()
export class SessionPresenter {
  constructor(@Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault) {}

  /** A session past a timeout is `expired`, and one past an epoch `revoked`, whether or not its own events say so. */
  async present(view: SessionView, caller: Caller, judgement: Judgement): Promise<SessionInfo> {
    const device = await this.deviceOf(view, caller);
    return {
      sid: view.sid,
      sub: view.sub,
      tenant: view.tenant,
      client: view.client,
      gen: view.gen,
      roles: view.roles,
      createdAt: seconds(view.createdAt),
      lastSeenAt: seconds(view.lastSeenAt),
      idleExpiresAt: seconds(view.idleExpiresAt),
      absoluteExpiresAt: seconds(view.absoluteExpiresAt),
      ...endOf(view, judgement),
      ...(device === undefined ? {} : { device }),
    };
  }

  private async deviceOf(view: SessionView, caller: Caller): Promise<DeviceInput | undefined> {
    if (!view.device || !caller.scopes.includes('personal-data:read')) return undefined;
    return (await this.vault.unseal(view.tenant, view.sub, view.device)) as DeviceInput | undefined;
  }
}

/** A folded session as a view shows it. */
export function viewOf(sid: string, state: OpenSession | EndedSession): SessionView {
  const { tenant, sub, client, roles, createdAt, policy } = state.facts;
  const absoluteExpiresAt = createdAt + policy.absoluteTimeout;
  return {
    tenant,
    sub,
    sid,
    client,
    roles,
    gen: state.gen,
    ep: state.ep,
    createdAt,
    lastSeenAt: state.lastActiveAt,
    idleExpiresAt: Math.min(state.lastActiveAt + policy.idleTimeout, absoluteExpiresAt),
    absoluteExpiresAt,
    ...(state.device === undefined ? {} : { device: state.device }),
    ...(state.status === 'ended'
      ? { ended: { at: state.endedAt, reason: state.reason, initiator: state.initiator } }
      : {}),
  };
}

type End = NonNullable<SessionView['ended']>;

/** Whatever came first ended it. */
function endOf(
  view: SessionView,
  { now, scopes }: Judgement,
): Pick<SessionInfo, 'status' | 'endedAt' | 'endedReason' | 'endedBy'> {
  const massRevocation = endedBy(scopes, view.ep, view.sid);
  const ends = [
    view.ended,
    massRevocation && {
      at: massRevocation.at,
      reason: 'scope' as const,
      initiator: massRevocation.initiator,
    },
    timeoutOf(view, now),
  ].filter((end): end is End => end !== undefined);
  if (ends.length === 0) return { status: 'active' };
  const { at, reason, initiator } = ends.reduce((first, end) => (end.at < first.at ? end : first));
  const status = reason === 'idle' || reason === 'absolute' ? 'expired' : 'revoked';
  return { status, endedAt: seconds(at), endedReason: reason, endedBy: initiator };
}

function timeoutOf({ idleExpiresAt, absoluteExpiresAt }: SessionView, now: number): End | undefined {
  const at = Math.min(idleExpiresAt, absoluteExpiresAt);
  if (now < at) return undefined;
  return { at, reason: idleExpiresAt < absoluteExpiresAt ? 'idle' : 'absolute', initiator: 'policy' };
}
