import { createHash } from 'node:crypto';
import type { StartStopwatch, Stopwatch } from '#application';
import { CurfewError } from '#contracts';
import { toCurfewError, type RenewClient } from './upstream.js';

/** With the second that the upstream may have cached, and the half of one until a stream's next look: within every B. */
const CACHED_MS = 500;
const MAX_CACHED = 10_000;
const MAX_HEADER = 1_024;

interface Checked {
  readonly age: Stopwatch;
  readonly tenants: Promise<readonly string[]>;
}

/** API keys of lower nodes, checked by the upstream: a relay knows none itself. Cost: one unary renewal a key in 500 ms. */
export class KeyChecks {
  private readonly checked = new Map<string, Checked>();
  private readonly own: string;

  constructor(
    private readonly upstream: Pick<RenewClient, 'renew'>,
    ownKey: string,
    private readonly startStopwatch: StartStopwatch,
  ) {
    this.own = `Bearer ${ownKey}`;
  }

  /**
   * The tenants of a key whose holder may watch.
   * @throws CurfewError ERR_UNAUTHENTICATED, ERR_FORBIDDEN (also for a tenant whose revocations the relay's own key does not
   *   get: without them a lease would be worth nothing), ERR_UNAVAILABLE
   */
  async admit(authorization: string | undefined): Promise<readonly string[]> {
    if (authorization === undefined || authorization.length > MAX_HEADER)
      throw new CurfewError('ERR_UNAUTHENTICATED');
    const [own, lower] = await Promise.all([this.tenantsOf(this.own), this.tenantsOf(authorization)]);
    if (!own.includes('*') && !lower.every((tenant) => own.includes(tenant)))
      throw new CurfewError('ERR_FORBIDDEN', {
        detail: 'the API key of this relay is not bound to every tenant of this one',
      });
    return lower;
  }

  private tenantsOf(authorization: string): Promise<readonly string[]> {
    const id = createHash('sha256').update(authorization).digest('base64');
    const known = this.checked.get(id);
    if (known && known.age() <= CACHED_MS) return known.tenants;
    // The age counts from before the call. Without a node id it is in no receipt.
    const age = this.startStopwatch();
    const tenants = this.upstream.renew(authorization, {}).then(
      (answer) => answer.tenants ?? [],
      (error: unknown) => {
        const ours = toCurfewError(error);
        if (ours.code === 'ERR_UNAVAILABLE') this.checked.delete(id);
        throw ours;
      },
    );
    tenants.catch(() => undefined);
    this.checked.delete(id);
    this.checked.set(id, { age, tenants });
    if (this.checked.size > MAX_CACHED) this.checked.delete(this.checked.keys().next().value!);
    return tenants;
  }
}
