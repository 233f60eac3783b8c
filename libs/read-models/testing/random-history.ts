import type { NewEvent, StreamAppend } from '#application';
import { scopeStream, sessionStream, type Epochs, type ScopeRef } from '#domain';
import type { SeededRandom } from '../../event-log/testing/seeded-random.js';
import { anEvent, createdData, rotatedData } from './events.js';

interface Life {
  readonly sid: string;
  readonly tenant: string;
  readonly sub: string;
  readonly ep: [number, number, number, number];
  revision: number;
  gen: number;
}

const TENANTS = ['default', 'ünder "quotes"', 'b'];
const HOUR_MS = 3_600_000;

/**
 * A valid history of many sessions and mass revocations, as appends in log order. Recorded-at steps back at times, as it does
 * between instances.
 */
export class RandomHistory {
  private readonly open: Life[] = [];
  private readonly epochs = new Map<string, number>();
  private sessions = 0;
  private now = 1_700_000_000_000;

  constructor(private readonly random: SeededRandom) {}

  appends(count: number): StreamAppend[][] {
    return Array.from({ length: count }, () => this.next());
  }

  private next(): StreamAppend[] {
    this.now += this.random.below(HOUR_MS / 4);
    const life = this.open.length > 0 ? this.random.pick(this.open) : undefined;
    const roll = this.random.below(20);
    if (life === undefined || roll < 5) return this.create();
    if (roll < 12) return [this.append(life, this.rotation(life))];
    if (roll < 13) return [this.append(life, this.rotation(life), this.rotation(life))];
    if (roll < 15) return [this.append(life, this.replay(life))];
    if (roll < 16) return [this.massRevocation()];
    return [this.end(life)];
  }

  private create(): StreamAppend[] {
    const tenant = this.random.pick(TENANTS);
    const life: Life = {
      sid: `sid-${String(++this.sessions)}`,
      tenant,
      sub: `user-${this.random.below(5)}`,
      ep: [this.random.below(3), 0, this.random.below(3), 0],
      revision: -1,
      gen: 0,
    };
    const { sub } = life;
    const event = anEvent(
      {
        type: 'session.created',
        data: createdData({
          tenant,
          sub,
          at: this.now,
          ep: [...life.ep],
          roles: this.roles(),
          ...this.device(),
        }),
      },
      this.metadata(tenant),
    );
    const begun = this.random.below(4) === 0 ? [event, this.rotation(life)] : [event];
    const appends = [this.append(life, ...begun)];
    // A login that ends an older session, in one append.
    const other =
      this.open.length > 0 && this.random.below(3) === 0 ? this.random.pick(this.open) : undefined;
    if (other) appends.unshift(this.end(other));
    this.open.push(life);
    return appends;
  }

  private rotation(life: Life): NewEvent {
    const adopts = this.random.below(3) === 0;
    if (adopts) life.ep[this.random.below(4)]! += 1;
    // Of two instances the later append may carry the earlier time.
    const at = this.now - this.random.below(2) * this.random.below(HOUR_MS);
    const data = rotatedData(++life.gen, at, {
      ...(adopts && { ep: [...life.ep] as unknown as Epochs }),
      ...this.device(),
    });
    return anEvent({ type: 'session.rotated', data }, this.metadata(life.tenant));
  }

  private replay(life: Life): NewEvent {
    const data = { gen: life.gen, presentedGen: life.gen - 1, rule: 'grace', ...this.device() } as const;
    return anEvent({ type: 'session.rotation-replayed', data }, this.metadata(life.tenant));
  }

  private end(life: Life): StreamAppend {
    this.open.splice(this.open.indexOf(life), 1);
    const { sub, tenant, gen } = life;
    const metadata = this.metadata(tenant);
    const at = this.now;
    const how = this.random.below(3);
    if (how === 0) {
      const reason = this.random.pick(['idle', 'absolute'] as const);
      return this.append(
        life,
        anEvent({ type: 'session.expired', data: { sub, tenant, reason, at } }, metadata),
      );
    }
    const reason = how === 1 ? 'theft' : this.random.pick(['logout', 'admin', 'limit'] as const);
    const initiator = this.random.pick(['user', 'system'] as const);
    const end = anEvent({ type: 'session.revoked', data: { sub, tenant, reason, initiator, at } }, metadata);
    if (reason !== 'theft') return this.append(life, end);
    const theft = { presentedGen: Math.max(0, gen - 2), currentGen: gen, ...this.device() };
    return this.append(life, anEvent({ type: 'session.theft-detected', data: theft }, metadata), end);
  }

  private massRevocation(): StreamAppend {
    const tenant = this.random.pick(TENANTS);
    const scope: ScopeRef = this.random.pick([
      { kind: 'user', tenant, sub: 'user-1' },
      { kind: 'client', tenant, client: 'web' },
      { kind: 'tenant', tenant },
      { kind: 'global' },
    ] as const);
    const stream = scopeStream(scope);
    const epoch = (this.epochs.get(stream) ?? 0) + 1;
    this.epochs.set(stream, epoch);
    const excepted = Object.fromEntries(
      this.open.slice(0, this.random.below(3)).map(({ sid }) => [sid, epoch - 1]),
    );
    const data = {
      revocationId: `00000000-0000-4000-8000-${String(epoch).padStart(12, '0')}`,
      ...scope,
      epoch,
      excepted,
      reason: 'admin',
      initiator: 'admin',
      at: this.now,
    } as const;
    const event = anEvent({ type: 'scope.revoked', data }, this.metadata(tenant));
    return { stream, expectedRevision: epoch - 2, events: [event] };
  }

  private append(life: Life, ...events: NewEvent[]): StreamAppend {
    const expectedRevision = life.revision;
    life.revision += events.length;
    return { stream: sessionStream(life.sid), expectedRevision, events };
  }

  private metadata(tenant: string): { tenant: string; recordedAt: number } {
    return { tenant, recordedAt: this.now - this.random.below(1_000) };
  }

  private roles(): string[] {
    return ['user', 'äöü "\\', 'admin'].slice(0, this.random.below(4));
  }

  private device(): { device?: { keyId: string; box: string } } {
    return this.random.below(2) === 0
      ? {}
      : { device: { keyId: 'k', box: `box-${this.random.below(1_000)}` } };
  }
}
