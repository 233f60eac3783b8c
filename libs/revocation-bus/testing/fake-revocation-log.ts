import type { Barrier, RevocationCursor, RevocationEvent, RevocationLog, RevocationPage } from '#application';
import { CurfewError } from '#contracts';
import { scopeStream, sessionStream, type ScopeRef } from '#domain';
import type { VirtualTimers } from './virtual-timers.js';

export interface FakeTransaction {
  commit(): void;
}

interface Row {
  readonly xid: number;
  readonly entry: RevocationEvent;
}

interface RememberedCursor {
  readonly cursor: RevocationCursor;
  readonly referenceTime: number;
  readonly keepMs: number;
}

/**
 * A store as PostgreSQL is one, shared by its readers: transactions take a number when they append and are seen when they
 * commit, in whatever order. A cursor is a snapshot: `xmax:open,open`.
 */
export class FakeRevocationStore {
  readonly remembered: RememberedCursor[] = [];
  private readonly committed: Row[] = [];
  private readonly open = new Set<number>();
  private xid = 0;
  private n = 0n;
  private clockOffset = 0;
  private referenceTime = 0;

  constructor(readonly timers: VirtualTimers) {}

  begin(sid: string, tenant = 'default'): FakeTransaction {
    return this.beginAppend((xid) => revocationEvent(sid, tenant, xid));
  }

  revoke(sid: string, tenant?: string): void {
    this.begin(sid, tenant).commit();
  }

  revokeScope(scope: ScopeRef, epoch: number, excepted?: Record<string, number>): void {
    this.beginAppend((xid) => scopeRevocationEvent(scope, epoch, xid, excepted)).commit();
  }

  private beginAppend(eventOf: (xid: number) => RevocationEvent): FakeTransaction {
    const xid = ++this.xid;
    this.open.add(xid);
    return {
      commit: () => {
        this.open.delete(xid);
        this.committed.push({ xid, entry: eventOf(xid) });
      },
    };
  }

  stepClock(ms: number): void {
    this.clockOffset += ms;
  }

  clock(): number {
    return this.timers.wall() + this.clockOffset;
  }

  writeBarrier(): Pick<Barrier, 'n' | 'referenceTime'> {
    this.referenceTime = Math.max(this.referenceTime, this.clock());
    return { n: ++this.n, referenceTime: this.referenceTime };
  }

  page(after: RevocationCursor): RevocationPage {
    const events = this.committed.filter(({ xid }) => !shows(after, xid)).map(({ entry }) => entry);
    return { events, cursor: `${this.xid + 1}:${[...this.open].join(',')}` };
  }

  cursorBefore(windowMs: number): RevocationCursor {
    const old = this.remembered.filter(({ referenceTime }) => this.clock() - referenceTime >= windowMs);
    return old.at(-1)?.cursor ?? '0:';
  }
}

/** One instance's access to the store, with latency and faults. Refuses overlapping calls. */
export class FakeRevocationLog implements RevocationLog {
  writeMs = 1;
  readMs = 1;
  failing = false;
  /** Set: as if an older barrier row had been read. */
  nextN: bigint | undefined;
  barriers = 0;
  reads = 0;
  readonly barrierTimes: number[] = [];
  readonly wakers = new Set<() => void>();
  private busy = false;

  constructor(readonly store: FakeRevocationStore) {}

  cursorBefore(windowMs: number): Promise<RevocationCursor> {
    return this.exclusively(() => this.after(this.readMs, () => this.store.cursorBefore(windowMs)));
  }

  read(after: RevocationCursor): Promise<RevocationPage> {
    this.reads++;
    return this.exclusively(() => this.answerOf(after));
  }

  barrier(after: RevocationCursor): Promise<Barrier> {
    this.barriers++;
    this.barrierTimes.push(this.store.timers.monotonic());
    return this.exclusively(async () => {
      const written = await this.after(this.writeMs, () => this.store.writeBarrier());
      return {
        ...written,
        ...(this.nextN !== undefined && { n: this.nextN }),
        ...(await this.answerOf(after)),
      };
    });
  }

  rememberCursor(cursor: RevocationCursor, referenceTime: number, keepMs: number): Promise<void> {
    return this.exclusively(() =>
      this.after(this.writeMs, () => {
        this.store.remembered.push({ cursor, referenceTime, keepMs });
      }),
    );
  }

  shows(cursor: RevocationCursor, mark: string): boolean {
    if (!this.isCursor(cursor)) throw new RangeError('not a cursor');
    return shows(cursor, Number(mark));
  }

  isCursor(text: string): boolean {
    return /^\d+:[\d,]*$/.test(text);
  }

  onAppended(wake: () => void): () => void {
    this.wakers.add(wake);
    return () => this.wakers.delete(wake);
  }

  wake(): void {
    for (const wake of this.wakers) wake();
  }

  /** The snapshot is taken half-way; the answer then travels. */
  private async answerOf(after: RevocationCursor): Promise<RevocationPage> {
    const page = await this.after(this.readMs / 2, () => this.store.page(after));
    return this.after(this.readMs / 2, () => page);
  }

  private async after<T>(ms: number, result: () => T): Promise<T> {
    await this.store.timers.sleep(ms);
    if (this.failing) throw new CurfewError('ERR_UNAVAILABLE');
    return result();
  }

  private async exclusively<T>(call: () => Promise<T>): Promise<T> {
    if (this.busy) throw new Error('calls to the revocation log overlap');
    this.busy = true;
    try {
      return await call();
    } finally {
      this.busy = false;
    }
  }
}

function shows(cursor: RevocationCursor, xid: number): boolean {
  const [xmax = '', open = ''] = cursor.split(':');
  return xid < Number(xmax) && !open.split(',').includes(String(xid));
}

export function revocationEvent(sid: string, tenant: string, xid: number): RevocationEvent {
  return recorded(xid, tenant, sessionStream(sid), 'session.revoked', {
    sub: 'user',
    tenant,
    reason: 'logout',
    initiator: 'user',
    at: 0,
  });
}

export function scopeRevocationEvent(
  scope: ScopeRef,
  epoch: number,
  xid: number,
  excepted: Record<string, number> = {},
): RevocationEvent {
  const tenant = scope.kind === 'global' ? '*' : scope.tenant;
  return recorded(xid, tenant, scopeStream(scope), 'scope.revoked', {
    revocationId: `revocation-${xid}`,
    ...scope,
    epoch,
    excepted,
    reason: 'admin',
    initiator: 'admin',
    at: 0,
  });
}

const recorded = (
  xid: number,
  tenant: string,
  stream: string,
  type: string,
  data: Record<string, unknown>,
): RevocationEvent => ({
  mark: String(xid),
  event: {
    id: `event-${xid}`,
    type,
    schemaVersion: 1,
    data,
    metadata: {
      recordedAt: 0,
      actor: { kind: 'system', id: 'spec' },
      initiator: 'user',
      tenant,
      correlationId: 'spec',
    },
    stream,
    revision: 1,
    position: String(xid),
  },
});
