import { createHash } from 'node:crypto';
import type { StartStopwatch, Stopwatch } from '#application';
import { CurfewError } from '#contracts';
import { toCurfewError, type RenewClient } from './upstream.js';

/** With the second that the upstream may have cached, and the half of one until a stream's next look: within every B. */
const CACHED_MS = 500;
const MAX_CACHED = 10_000;
const MAX_HEADER = 1_024;
/** Keys of which nothing good is known may have so many questions open at the upstream, together. */
const MAX_STRANGERS = 64;

interface Checked {
  readonly age: Stopwatch;
  readonly tenants: Promise<readonly string[]>;
}

/** API keys of lower nodes, checked by the upstream: a relay knows none itself. Cost: one unary renewal a key in 500 ms. */
export class KeyChecks {
  private readonly checked = new Map<string, Checked>();
  /** Keys that were accepted last time: whoever floods the door with others does not shut them out. */
  private readonly accepted = new Set<string>();
  private strangers = 0;
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
   *   get: without them a lease would be worth nothing), ERR_OVERLOADED (too many keys at once of which nothing is known),
   *   ERR_UNAVAILABLE
   */
  async admit(authorization: string | undefined): Promise<readonly string[]> {
    const [own, lower] = await Promise.all([this.tenantsOf(this.own), this.check(authorization)]);
    if (!own.includes('*') && !lower.every((tenant) => own.includes(tenant)))
      throw new CurfewError('ERR_FORBIDDEN', {
        detail: 'the API key of this relay is not bound to every tenant of this one',
      });
    return lower;
  }

  /**
   * The tenants of a key whose holder may renew with the upstream.
   * @throws CurfewError ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_OVERLOADED, ERR_UNAVAILABLE
   */
  async check(authorization: string | undefined): Promise<readonly string[]> {
    if (authorization === undefined || authorization.length > MAX_HEADER)
      throw new CurfewError('ERR_UNAUTHENTICATED');
    return this.tenantsOf(authorization);
  }

  private tenantsOf(authorization: string): Promise<readonly string[]> {
    const id = createHash('sha256').update(authorization).digest('base64');
    const known = this.checked.get(id);
    if (known && known.age() <= CACHED_MS) return known.tenants;
    const isStranger = authorization !== this.own && !this.accepted.has(id);
    if (isStranger && this.strangers >= MAX_STRANGERS)
      return Promise.reject(new CurfewError('ERR_OVERLOADED', { retryAfter: 1 }));
    // The age counts from before the call.
    const age = this.startStopwatch();
    const tenants = this.ask(authorization, id, isStranger);
    tenants.catch(() => undefined);
    this.checked.delete(id);
    this.checked.set(id, { age, tenants });
    dropOldest(this.checked);
    return tenants;
  }

  private async ask(authorization: string, id: string, isStranger: boolean): Promise<readonly string[]> {
    if (isStranger) this.strangers += 1;
    try {
      // Without a node id it is in no receipt.
      const { tenants } = await this.upstream.renew(authorization, {});
      this.accepted.add(id);
      dropOldest(this.accepted);
      return tenants ?? [];
    } catch (error) {
      const ours = toCurfewError(error);
      if (ours.code === 'ERR_UNAVAILABLE') this.checked.delete(id);
      else this.accepted.delete(id);
      throw ours;
    } finally {
      if (isStranger) this.strangers -= 1;
    }
  }
}

function dropOldest(of: Map<string, Checked> | Set<string>): void {
  if (of.size > MAX_CACHED) of.delete(of.keys().next().value!);
}
