import { describe, expect, it } from '@jest/globals';
import { EFFORT, print } from '../../../libs/revocation-bus/model/effort.js';
import type { NodeLease } from '../../../libs/revocation-bus/model/node-lease.js';
import type { Reading } from '../../../libs/revocation-bus/model/process-clock.js';
import { searchAtRandom } from '../../../libs/revocation-bus/model/random-search.js';
import { DESIGN } from '../../../libs/revocation-bus/model/rules.js';
import type { Scope } from '../../../libs/revocation-bus/model/scope.js';
import { SCOPES } from '../../../libs/revocation-bus/model/scopes.js';
import { shrink } from '../../../libs/revocation-bus/model/shrink.js';
import { describeExample } from '../../../libs/revocation-bus/model/trace.js';
import type { Setup } from '../../../libs/revocation-bus/model/world.js';
import { Lease } from '../../../libs/sdk/core/lease.js';
import { SentRenewals } from '../../../libs/sdk/watch/sent-renewals.js';

/** The SDK's own class in the model's world: its clocks show what the model says that the node can read. */
class SdkLease implements NodeLease {
  private now: Reading = { monotonic: 0, wall: 0 };
  private readonly lease: Lease;
  private readonly renewals = new SentRenewals();

  constructor(bound: number) {
    this.lease = new Lease({ monotonic: () => this.now.monotonic, wall: () => this.now.wall }, bound);
  }

  connected(): void {
    this.renewals.forget();
  }

  sent(id: number, now: Reading): void {
    this.now = now;
    this.renewals.add(id, this.lease.reading());
  }

  answered(id: number, now: Reading): void {
    this.now = now;
    const reading = this.renewals.answered(id);
    if (reading !== undefined) this.lease.extend(reading, 0);
  }

  isFresh(now: Reading): boolean {
    this.now = now;
    return this.lease.remaining() > 0;
  }
}

/** The same class used wrongly: m0 is noted only when the answer is there. */
class LateSdkLease extends SdkLease {
  override sent(): void {
    // Too early for this one.
  }

  override answered(id: number, now: Reading): void {
    super.sent(id, now);
    super.answered(id, now);
  }
}

describe("G2: the lease protocol, modelled with the SDK's own lease", () => {
  const { seed, schedules, length, timeoutMs } = EFFORT;

  it.each(Object.entries<Scope>(SCOPES))(
    'G2: no acceptance later than B after a revoke returned, in random schedules of "%s"',
    (name, scope) => {
      const setup: Setup = { rules: DESIGN, scope, lease: (bound) => new SdkLease(bound) };
      const result = searchAtRandom(setup, { seed, schedules, length });
      print(`lease model, SDK lease: "${name}", seed ${seed}: ${result.schedules} schedules`);
      expect(result.found && describeExample(shrink(setup, result.found), scope)).toBeNull();
    },
    timeoutMs,
  );

  it(
    'G2: the model refutes a node that notes m0 after it has sent',
    () => {
      const setup: Setup = { rules: DESIGN, scope: SCOPES.clocks, lease: (bound) => new LateSdkLease(bound) };
      expect(searchAtRandom(setup, { seed, schedules, length }).found).not.toBeNull();
    },
    timeoutMs,
  );
});
