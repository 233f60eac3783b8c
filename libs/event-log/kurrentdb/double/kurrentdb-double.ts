import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import featuresV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import type { SupportedMethods } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import featuresServiceV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import streamsServiceV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import streamsServiceV2 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_grpc_pb.js';
import { AppendService } from './append-service.js';
import { DoubleFaults } from './double-faults.js';
import { DoubleStore } from './double-store.js';
import { ReadService } from './read-service.js';
import { unavailable } from './wire-messages.js';

const LOOPBACK = '127.0.0.1';

/**
 * NOT KurrentDB: a small double that speaks as much of its protocol as Curfew uses, from the client's own generated service
 * definitions, in memory and in this process, with faults on demand. A test that runs on it says "double" in its name.
 *
 * Clients reach it through a TCP door of its own, which can close, drop or freeze connections. What is stored survives all
 * of that.
 */
export class KurrentDbDouble {
  readonly faults = new DoubleFaults();
  private readonly store = new DoubleStore();
  private readonly reads = new ReadService(this.store, this.faults);
  private readonly appends = new AppendService(this.store, this.faults);
  private readonly server = new Server();
  /** Both ends of each connection: to the client and to the server behind the door. */
  private readonly ends = new Set<net.Socket>();
  private door: net.Server | undefined;
  private port = 0;
  private serverPort = 0;
  private frozen = false;

  private constructor() {
    this.server.addService(featuresServiceV1.ServerFeaturesService, { getSupportedMethods: this.supported });
    this.server.addService(streamsServiceV1.StreamsService, {
      read: this.reads.read,
      append: this.appends.append,
    });
    this.server.addService(streamsServiceV2.StreamsServiceService, {
      appendSession: this.appends.appendSession,
    });
  }

  /** On a free port of the loopback interface. */
  static async start(): Promise<KurrentDbDouble> {
    const double = new KurrentDbDouble();
    await double.serve();
    await double.open();
    return double;
  }

  /** Connection string. The same for as long as the double lives. */
  get url(): string {
    return `kurrentdb://${LOOPBACK}:${this.port}?tls=false`;
  }

  /** Subscriptions that clients have open. */
  get subscriptionCount(): number {
    return this.reads.subscriptionCount;
  }

  /** Events in the whole log, system events and Curfew's own bookkeeping with them. */
  get eventCount(): number {
    return this.store.all.length;
  }

  /** Ids of the events of a stream, in order. */
  eventIds(stream: string): string[] {
    return (this.store.stream(stream) ?? []).map(({ id }) => id);
  }

  /** False: the store does not know an append that it had before, and refuses it as a conflict. True unless set. */
  set answersRepeats(answers: boolean) {
    this.store.answersRepeats = answers;
  }

  /** Cuts every connection. New ones are accepted. */
  disconnectAll(): void {
    for (const end of this.ends) end.destroy();
  }

  /** Nothing passes in either direction, and nothing is closed: half-open connections, the new ones too. */
  freeze(): void {
    this.frozen = true;
    for (const end of this.ends) end.pause();
  }

  /** What was held back passes. */
  thaw(): void {
    this.frozen = false;
    for (const end of this.ends) end.resume();
  }

  /** The subscriptions that are open now stay open and deliver nothing more, for ever. */
  muteSubscriptions(): void {
    this.reads.muteSubscriptions();
  }

  /** The subscriptions that are open now say that they fell behind; they deliver again after `catchUp`. */
  fallBehind(): void {
    this.reads.fallBehind();
  }

  catchUp(): void {
    this.reads.catchUp();
  }

  /** Refuses connections and cuts those that there are. `restart` opens the same port with the same data. */
  async stop(): Promise<void> {
    const { door } = this;
    this.door = undefined;
    const closed = door === undefined ? undefined : once(door, 'close');
    door?.close();
    this.disconnectAll();
    await closed;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  /** For good. */
  async close(): Promise<void> {
    await this.stop();
    this.server.forceShutdown();
  }

  private async serve(): Promise<void> {
    this.serverPort = await new Promise((resolve, reject) => {
      this.server.bindAsync(`${LOOPBACK}:0`, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  private async open(): Promise<void> {
    const door = net.createServer((socket) => this.pass(socket));
    door.listen(this.port, LOOPBACK);
    await once(door, 'listening');
    this.port = (door.address() as AddressInfo).port;
    this.door = door;
  }

  private pass(client: net.Socket): void {
    const server = net.connect(this.serverPort, LOOPBACK);
    this.connect(client, server);
    this.connect(server, client);
  }

  private connect(from: net.Socket, to: net.Socket): void {
    this.ends.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => to.write(bytes));
    from.on('error', () => undefined);
    from.on('close', () => {
      this.ends.delete(from);
      to.destroy();
    });
    if (this.frozen) from.pause();
  }

  /** Not BatchAppend: Curfew does not use it. */
  private readonly supported = (_: unknown, respond: sendUnaryData<SupportedMethods>): void => {
    if (this.faults.refuse) {
      respond(unavailable());
      return;
    }
    const methods = [
      ['event_store.client.streams.streams', 'read'],
      ['event_store.client.streams.streams', 'append'],
      ['kurrentdb.protocol.v2.streams.streamsservice', 'appendsession'],
    ] as const;
    const answer = new featuresV1.SupportedMethods().setEventStoreServerVersion('25.1.0');
    for (const [service, method] of methods) {
      const supported = new featuresV1.SupportedMethod().setServiceName(service).setMethodName(method);
      answer.addMethods(supported);
    }
    respond(null, answer);
  };
}
