import { Metadata, status as code, type ClientDuplexStream } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RevocationMessage, ScopeRevocation } from '#contracts';
import type { WatchSubscriberOptions, WatchSubscription } from '#revocation-bus';
import type { Parts } from '../app.module.js';
import { startFakeService, type FakeService } from '../testing/fake-service.js';
import { GrpcCaller, methodAt, statusOf, toMetadata } from '../testing/grpc-caller.js';

/** What reached the hub, and the hub's side of each stream. */
interface Subscribed {
  readonly options: WatchSubscriberOptions;
  readonly renewals: string[];
  drains: number;
  closed: boolean;
}
const subscriptions: Subscribed[] = [];
let greeting: (options: WatchSubscriberOptions) => void = () => undefined;
const hub = {
  subscribe(options: WatchSubscriberOptions): WatchSubscription {
    const subscribed: Subscribed = { options, renewals: [], drains: 0, closed: false };
    subscriptions.push(subscribed);
    greeting(options);
    return {
      renew: (id) => void subscribed.renewals.push(id),
      drained: () => void subscribed.drains++,
      close: () => void (subscribed.closed = true),
    };
  },
};

const introduced: [boundMs: number, cursor: string | undefined][] = [];
const nodeRegistry = {
  introduce: ({ boundMs }: { readonly boundMs: number }, cursor?: string) => {
    introduced.push([boundMs, cursor]);
    return { heard: () => undefined, isAwaited: false };
  },
} as unknown as Parts['nodeRegistry'];

let service: FakeService;
let caller: GrpcCaller;
const streams: ClientDuplexStream<object | Buffer, object>[] = [];
beforeAll(async () => {
  service = await startFakeService({ watchHub: hub, nodeRegistry });
  caller = new GrpcCaller(service.endpoints.grpc);
});
beforeEach(() => {
  subscriptions.length = 0;
  introduced.length = 0;
  greeting = () => undefined;
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.cancel();
});
afterAll(async () => {
  caller.close();
  await service.close();
});

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 4_000; !isSo();) {
    if (Date.now() > deadline) throw new Error('it did not come about in 4 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

function watch(headers: Record<string, string> = service.authorization()) {
  const method = methodAt('/curfew.v1.RevocationService/Watch');
  const stream = caller.client.makeBidiStreamRequest<object | Buffer, object>(
    method.path,
    (value) => (Buffer.isBuffer(value) ? value : method.requestSerialize(value)),
    method.responseDeserialize,
    headers instanceof Metadata ? headers : toMetadata(headers),
  );
  streams.push(stream);
  const received: object[] = [];
  stream.on('data', (message: object) => received.push(message));
  const ended = new Promise<ReturnType<typeof statusOf>>((resolve) => {
    stream.on('status', (status) => resolve(statusOf(status)));
    stream.on('error', () => undefined);
  });
  const send = (message: object | Buffer) => stream.write(message);
  return { stream, send, received, ended };
}
const HELLO = { hello: { nodeId: 'node-1', cursor: 'c1' } };
const revocation: RevocationMessage = {
  scope: 'session',
  tenant: 'default',
  sub: 'u',
  sid: 's',
  reason: 'logout',
  initiator: 'user',
  position: '1',
};
/** The contract's `uint32`. */
const LAST_EPOCH = 0xffff_ffff;
const massRevocation: ScopeRevocation = {
  scope: 'user',
  revocationId: '7d3c1c0e-0000-4000-8000-000000000001',
  tenant: 'default',
  sub: 'u',
  client: '',
  epoch: 1,
  excepted: { s1: 0 },
  reason: 'admin',
  initiator: 'admin',
  position: '2',
};

describe('Watch', () => {
  it('hands hello and renewals to the hub, with the tenants of the key', async () => {
    const { send } = watch();
    send(HELLO);
    send({ renew: { id: '18446744073709551615' } });
    send({ renew: { id: 0 } });
    await until(() => subscriptions[0]?.renewals.length === 2);
    expect(subscriptions[0]?.options).toMatchObject({ tenants: ['default'], cursor: 'c1' });
    expect(subscriptions[0]?.renewals).toEqual(['18446744073709551615', '0']);
  });

  it('G2: takes the cursor of a node for what it has applied, of a relay only for what it has read', async () => {
    watch().send(HELLO);
    await until(() => subscriptions.length === 1);
    watch().send({ hello: { ...HELLO.hello, boundMs: 60_000, passesOn: true } });
    await until(() => subscriptions.length === 2);
    expect(subscriptions.map(({ options }) => options.cursor)).toEqual(['c1', 'c1']);
    expect(introduced).toEqual([
      [0, 'c1'],
      [60_000, ''],
    ]);
  });

  it('refuses a bound that is longer than receipts wait for', async () => {
    const { send, ended } = watch();
    send({ hello: { ...HELLO.hello, boundMs: 60_001 } });
    expect(await ended).toMatchObject({ code: code.INVALID_ARGUMENT });
    expect(introduced).toEqual([]);
  });

  it('sends what the hub sends, in its order, a shared revocation to each stream', async () => {
    const message = { revocation };
    const renewed = {
      id: '7',
      cursor: 'c2',
      referenceTimeMs: 1_700_000_000_123,
      maxAccessTtlMs: 9,
      renewAfterMs: 500,
      ageMs: 0,
    };
    greeting = ({ send }) => {
      send(message);
      send({ renewed });
    };
    const nodes = [watch(), watch()];
    for (const { send } of nodes) send(HELLO);
    for (const { received } of nodes) {
      await until(() => received.length === 2);
      expect(received).toEqual([
        { revocation },
        { renewed: { ...renewed, referenceTimeMs: '1700000000123' } },
      ]);
    }
  });

  it.each<[string, Partial<ScopeRevocation>]>([
    ['a user', {}],
    ['a user, the last there can be', { epoch: LAST_EPOCH, excepted: { s1: 0, s2: LAST_EPOCH - 1 } }],
    ['a client', { scope: 'client', sub: '', client: 'web' }],
    ['a tenant', { scope: 'tenant', sub: '' }],
    ['everyone', { scope: 'global', tenant: '', sub: '' }],
  ])('G5: a node reads a mass revocation of %s as it was sent', async (_name, changes) => {
    const sent: ScopeRevocation = Object.freeze({ ...massRevocation, ...changes });
    greeting = ({ send }) => {
      send({ revocation: sent });
    };
    const { send, received } = watch();
    send(HELLO);
    await until(() => received.length === 1);
    expect(received).toEqual([{ revocation: sent }]);
  });

  it('G5: a node reads no exceptions as none, and one from epoch 0 as one', () => {
    const { responseSerialize, responseDeserialize } = methodAt('/curfew.v1.RevocationService/Watch');
    const read = (excepted: object) =>
      responseDeserialize(responseSerialize({ revocation: { ...massRevocation, excepted } }));
    expect(read({})).not.toHaveProperty('revocation.excepted');
    expect(read({ s: 0 })).toHaveProperty('revocation.excepted', { s: 0 });
    // Field 10, an entry with key "s" and, since other writers leave it out, no 0.
    expect(responseDeserialize(Buffer.from([0x0a, 5, 0x52, 3, 0x0a, 1, 0x73]))).toEqual({
      revocation: { excepted: { s: 0 } },
    });
  });

  it('tells the hub when a full transport has drained', async () => {
    let full = false;
    greeting = ({ send }) => {
      for (let i = 0; i < 100; i++) {
        const tookIt = send({ revocation: { ...revocation, sid: String(i) } });
        full ||= !tookIt;
      }
    };
    const { send, received } = watch();
    send(HELLO);
    await until(() => received.length === 100);
    expect(full).toBe(true);
    await until(() => subscriptions[0]?.drains === 1);
  });

  it.each([
    ['a renewal before hello', [{ renew: { id: 1 } }], 'hello'],
    ['a second hello', [HELLO, HELLO], 'hello'],
    ['no node id', [{ hello: {} }], 'hello.node_id'],
    ['a node id with control characters', [{ hello: { nodeId: 'a\n' } }], 'hello.node_id'],
    ['a cursor without end', [{ hello: { nodeId: 'n', cursor: 'x'.repeat(40_000) } }], 'hello.cursor'],
  ])('ends a stream with %s', async (_name, messages, field) => {
    const { send, ended } = watch();
    messages.forEach(send);
    expect(await ended).toMatchObject({
      code: code.INVALID_ARGUMENT,
      metadata: { 'curfew-error-code': 'ERR_VALIDATION', 'curfew-error-field': field },
    });
    expect(subscriptions.every(({ closed }) => closed)).toBe(true);
  });

  it('ends a stream with bytes that are no message', async () => {
    const { send, ended } = watch();
    send(Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0xff]));
    expect(await ended).toMatchObject({
      code: code.INVALID_ARGUMENT,
      metadata: { 'curfew-error-code': 'ERR_MALFORMED_BODY' },
    });
  });

  it('ignores a message of a kind that it does not know', async () => {
    const { send } = watch();
    send(Buffer.from([0x7a, 0x00]));
    send(HELLO);
    await until(() => subscriptions.length === 1);
  });

  it('G10: refuses a stream without the right key, and lives on', async () => {
    const anonymous = watch({});
    anonymous.send(HELLO);
    expect((await anonymous.ended).code).toBe(code.UNAUTHENTICATED);
    const other = watch(service.authorization('sessions:read'));
    other.send(HELLO);
    expect(await other.ended).toMatchObject({
      code: code.PERMISSION_DENIED,
      metadata: { 'curfew-error-code': 'ERR_FORBIDDEN' },
    });
    expect(subscriptions).toEqual([]);
  });

  it('G10: cuts the streams of a key that was revoked within B', async () => {
    const { send, ended } = watch(service.authorization('revocations:watch'));
    send(HELLO);
    await until(() => subscriptions.length === 1);
    const revokedAt = performance.now();
    service.revokeKeys();
    expect((await ended).code).toBe(code.UNAUTHENTICATED);
    expect(performance.now() - revokedAt).toBeLessThan(2_000);
    expect(subscriptions[0]?.closed).toBe(true);
  });

  it('tells a subscriber that is cut why', async () => {
    const { send, ended } = watch();
    send(HELLO);
    await until(() => subscriptions.length === 1);
    subscriptions[0]?.options.close('slow');
    expect(await ended).toMatchObject({
      code: code.UNAVAILABLE,
      details: expect.stringContaining('fast enough') as unknown,
      metadata: { 'curfew-error-code': 'ERR_UNAVAILABLE' },
    });
  });

  it.each([['cuts in its greeting', (options: WatchSubscriberOptions) => options.close('stopping')]])(
    'ends a stream that the hub %s',
    async (_name, greet) => {
      greeting = greet;
      const { send, ended } = watch();
      send(HELLO);
      expect((await ended).code).toBe(code.UNAVAILABLE);
      expect(subscriptions[0]?.closed).toBe(true);
    },
  );

  it('lets the hub know when the node has gone', async () => {
    const [leaves, breaks] = [watch(), watch()];
    leaves.send(HELLO);
    await until(() => subscriptions.length === 1);
    breaks.send(HELLO);
    await until(() => subscriptions.length === 2);
    leaves.stream.end();
    expect((await leaves.ended).code).toBe(code.OK);
    breaks.stream.cancel();
    await until(() => subscriptions.every(({ closed }) => closed));
  });
});
