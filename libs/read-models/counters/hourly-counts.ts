import type { RecordedEvent } from '#application';
import type { ScopeRevoked, SessionRevoked } from '#domain';
import { EVERY_TENANT } from '../every-tenant.js';

/** So many events of one name in one hour of one tenant. */
interface HourlyCountRow {
  /** `EVERY_TENANT` for what is of none. */
  readonly tenant: string;
  /** Begin of the hour (UTC), ms since the epoch. */
  readonly hour: number;
  readonly name: string;
  readonly count: number;
}

const HOUR_MS = 3_600_000;

/** What events add to the counters, one row per tenant, hour and name. Pure. */
export function hourlyCounts(events: readonly RecordedEvent[]): HourlyCountRow[] {
  const counts = new Map<string, { tenant: string; hour: number; name: string; count: number }>();
  for (const event of events) {
    const name = nameOf(event);
    if (name === undefined) continue;
    const tenant = tenantOf(event);
    const hour = Math.floor(event.metadata.recordedAt / HOUR_MS) * HOUR_MS;
    const key = JSON.stringify([tenant, hour, name]);
    const counted = counts.get(key);
    if (counted) counted.count++;
    else counts.set(key, { tenant, hour, name, count: 1 });
  }
  return [...counts.values()];
}

function nameOf({ type, data }: RecordedEvent): string | undefined {
  switch (type) {
    case 'session.created':
      return 'created';
    case 'session.rotated':
      return 'rotated';
    case 'session.rotation-replayed':
      return 'replayed';
    case 'session.theft-detected':
      return 'theft-detected';
    case 'session.expired':
      return 'expired';
    case 'session.revoked':
      return `revoked:${(data as unknown as SessionRevoked['data']).reason}`;
    case 'scope.revoked':
      return 'mass-revoked';
    default:
      return undefined;
  }
}

function tenantOf({ type, data, metadata }: RecordedEvent): string {
  return type === 'scope.revoked'
    ? ((data as unknown as ScopeRevoked['data']).tenant ?? EVERY_TENANT)
    : metadata.tenant;
}
