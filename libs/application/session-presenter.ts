import { Inject, Injectable } from '@nestjs/common';
import type { DeviceInput, SessionInfo } from '#contracts';
import type { Caller } from './caller.js';
import { PERSONAL_DATA_VAULT, type PersonalDataVault } from './ports/keys.port.js';
import type { SessionView } from './ports/session-views.port.js';

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** Turns a view into an answer: applies expiry, and opens personal data for those who may see it. */
@Injectable()
export class SessionPresenter {
  constructor(@Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault) {}

  /** @param now reference time, ms: a session past its timeouts is `expired` whether or not the log says so already. */
  async present(view: SessionView, caller: Caller, now: number): Promise<SessionInfo> {
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
      ...endOf(view, now),
      ...(device === undefined ? {} : { device }),
    };
  }

  private async deviceOf(view: SessionView, caller: Caller): Promise<DeviceInput | undefined> {
    if (!view.device || !caller.scopes.includes('personal-data:read')) return undefined;
    return (await this.vault.unseal(view.tenant, view.sub, view.device)) as DeviceInput | undefined;
  }
}

function endOf(
  view: SessionView,
  now: number,
): Pick<SessionInfo, 'status' | 'endedAt' | 'endedReason' | 'endedBy'> {
  if (view.ended) {
    const { at, reason, initiator } = view.ended;
    const status = reason === 'idle' || reason === 'absolute' ? 'expired' : 'revoked';
    return { status, endedAt: seconds(at), endedReason: reason, endedBy: initiator };
  }
  const idle = view.idleExpiresAt < view.absoluteExpiresAt;
  const deadline = Math.min(view.idleExpiresAt, view.absoluteExpiresAt);
  if (now < deadline) return { status: 'active' };
  return {
    status: 'expired',
    endedAt: seconds(deadline),
    endedReason: idle ? 'idle' : 'absolute',
    endedBy: 'policy',
  };
}
