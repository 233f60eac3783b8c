import { jest } from '@jest/globals';
import { WatchDoorDouble } from '../watch/watch-door.double.js';
import { createCurfewWith } from './curfew.js';
import type { Curfew, CurfewOptions, Diagnostic } from './curfew.types.js';
import { ManualClocks } from './manual-clocks.double.js';
import { AUDIENCE, claimsOf, ISSUER, NOW, SigningKey } from './minted-token.double.js';
import { json, RestDoorDouble } from './rest-door.double.js';

/** Only what the SDK's own timers are made of: promises and fetch must go on by themselves. */
export function fakeTimers(): void {
  jest.useFakeTimers({
    doNotFake: [
      'nextTick',
      'queueMicrotask',
      'performance',
      'hrtime',
      'Date',
      'setInterval',
      'clearInterval',
    ],
  });
}

export function realTimers(): void {
  jest.useRealTimers();
}

/** A node with both doors and both clocks in the hands of the spec. Needs `fakeTimers`. */
export class NodeUnderTest {
  readonly clocks = new ManualClocks();
  readonly key = new SigningKey('k1');
  readonly rest = new RestDoorDouble(this.key.jwk());
  readonly watch = new WatchDoorDouble(NOW * 1000);
  readonly told: Diagnostic[] = [];
  readonly curfew: Curfew;

  constructor(
    options: Partial<CurfewOptions> = {},
    prepare: (node: NodeUnderTest) => void = () => undefined,
  ) {
    prepare(this);
    this.curfew = createCurfewWith(
      {
        service: 'http://service.test',
        watch: 'http://watch.test',
        apiKey: 'key-1',
        issuer: ISSUER,
        audience: AUDIENCE,
        tenant: 'acme',
        onDiagnostic: (diagnostic) => this.told.push(diagnostic),
        ...options,
      },
      { clocks: this.clocks, fetch: this.rest.fetch, dial: this.watch.dial },
    );
  }

  /** One whose renewals are not answered, from the start. */
  static unanswered(options: Partial<CurfewOptions> = {}): NodeUnderTest {
    return new NodeUnderTest(options, ({ watch }) => {
      watch.answers = false;
    });
  }

  static async ready(
    options: Partial<CurfewOptions> = {},
    prepare?: (node: NodeUnderTest) => void,
  ): Promise<NodeUnderTest> {
    const node = new NodeUnderTest(options, prepare);
    await node.curfew.ready();
    return node;
  }

  /** Lets time pass: both clocks, the service's reference time, and the timers. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 50) {
      const step = Math.min(left, 50);
      this.clocks.advance(step);
      this.watch.fields.referenceTimeMs += step;
      await jest.advanceTimersByTimeAsync(step);
    }
  }

  /** The service answers no renewal any more, and the lease runs out. */
  async goStale(): Promise<void> {
    this.watch.answers = false;
    await this.pass(this.curfew.lease().remainingMs + 1);
  }

  /** Lets `/v1/introspect` say that every token lives. */
  introspectsAs(claims: Record<string, unknown> = {}, age = '0'): void {
    this.rest.introspect = () =>
      json({ active: true, ...claimsOf(claims) }, { headers: { 'curfew-barrier-age': age } });
  }

  /** `accepted`, or the code of the error. */
  async verdict(token: string): Promise<string> {
    return this.curfew.verify(token).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    );
  }

  kinds(): string[] {
    return this.told.map(({ kind }) => kind);
  }
}
