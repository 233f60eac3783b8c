import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Kafka, logLevel, type KafkaConfig, type Producer } from 'kafkajs';
import protobuf from 'protobufjs';
import { encodeLaneRecord, type LaneContent, type SessionRevocation } from '#contracts';
import { truncateTopic } from './lanes.js';
import type { CallHandlers, DialGrpc } from '../../libs/sdk/watch/grpc-call.js';

const HEARTBEAT_MS = 100;
const MAX_ACCESS_TTL_MS = 300_000;

const proto = new protobuf.Root();
proto.loadSync(join(import.meta.dirname, '../../libs/contracts/proto/curfew/v1/revocation.proto'));
const typeOf = (name: string): protobuf.Type => proto.lookupType(`curfew.v1.${name}`);
const types = {
  request: typeOf('RenewRequest'),
  answer: typeOf('RenewResponse'),
  watchRequest: typeOf('WatchRequest'),
  watchResponse: typeOf('WatchResponse'),
};

interface KafkajsCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(group: { groupId: string }): Promise<{
    leaveGroup(member: { groupId: string; memberId: string }): Promise<void>;
  }>;
}

/** kafkajs offers no way to leave a group in somebody else's name; what it is made of has one. */
function clusterInside(kafka: Kafka): KafkajsCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find((name) =>
    name.description?.includes('createCluster'),
  )!;
  const create = (kafka as unknown as Record<symbol, (options: object) => KafkajsCluster>)[symbol]!;
  return create({});
}

/** What was revoked, and the barriers: one serial log, as the service has it. */
class FakeLog {
  readonly revocations: SessionRevocation[] = [];
  barriers = 0;

  barrier(): { readonly barrier: number; readonly shown: number } {
    this.barriers += 1;
    return { barrier: this.barriers, shown: this.revocations.length };
  }
}

/**
 * The service's side of a node over Kafka, in this process: its log, its doors for `Renew` and `Watch`, and a relay that
 * writes to a real topic. It does what the contract says unless a test makes it err.
 */
export class LaneWorld {
  readonly kafka: Kafka;
  readonly topic = `revocations-${randomUUID()}`;
  readonly log = new FakeLog();
  /** `node_id applied_cursor` of every Renew. */
  readonly renewals: { nodeId: string; appliedCursor: string }[] = [];
  streamId: string = randomUUID();
  lanes: number;
  /** Whether the doors answer. */
  renews = true;
  watches = true;
  watchStreams = 0;
  #incarnation = 1;
  #sequences: number[] = [];
  #published = 0;
  #muted: number | undefined;
  #producer: Producer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(login: KafkaConfig, lanes = 2) {
    this.kafka = new Kafka({ ...login, logLevel: logLevel.NOTHING });
    this.lanes = lanes;
  }

  async createTopic(): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic: this.topic, numPartitions: this.lanes, replicationFactor: 1 }],
    });
    await admin.disconnect();
  }

  async deleteTopic(): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [this.topic] });
    await admin.disconnect();
  }

  async addLanes(lanes: number): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: this.topic, count: lanes }] });
    await admin.disconnect();
  }

  /** Removes every record that is there. */
  truncate(): Promise<void> {
    return truncateTopic(this.kafka, this.topic);
  }

  /** Records in the topic, all in all. */
  async written(): Promise<number> {
    const admin = this.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(this.topic);
    await admin.disconnect();
    return ends.reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** Takes the group's members out of it, in their name. */
  async throwOut(groupId: string): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    const { groups } = await admin.describeGroups([groupId]);
    await admin.disconnect();
    const cluster = clusterInside(this.kafka);
    await cluster.connect();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    for (const { memberId } of groups[0]!.members) await coordinator.leaveGroup({ groupId, memberId });
    await cluster.disconnect();
  }

  /** When what was revoked before is published. */
  async settled(): Promise<void> {
    this.#beat();
    await this.#beating;
  }

  /** As a new leader: a higher incarnation, everything published again, then heartbeats. */
  async startRelay(): Promise<void> {
    await this.stopRelay();
    this.#incarnation += 1;
    this.#sequences = Array.from({ length: this.lanes }, () => 0);
    this.#published = 0;
    this.#producer = this.kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 3 } });
    await this.#producer.connect();
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  async stopRelay(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await this.#producer?.disconnect();
    this.#producer = undefined;
  }

  /** Loses records on this lane: their sequence numbers are used, nothing is written. */
  skip(lane: number, records = 1): void {
    this.#sequences[lane] = (this.#sequences[lane] ?? 0) + records;
  }

  /** Returns as a revoke call does: when it is committed. */
  revoke(sid: string): void {
    this.log.revocations.push({
      scope: 'session',
      tenant: 'acme',
      sub: 'user-1',
      sid,
      reason: 'admin',
      initiator: 'admin',
      position: String(this.log.revocations.length + 1),
    });
    this.#beat();
  }

  /** Leaves this lane's records out, and goes on with its sequence when it writes again: as a lane without a leader. */
  mute(lane: number | undefined): void {
    this.#muted = lane;
  }

  /** Something that is no record of the stream. */
  async writeGarbage(lane: number): Promise<void> {
    await this.#producer?.send({ topic: this.topic, messages: [{ partition: lane, value: 'garbage' }] });
  }

  #beat(): void {
    this.#beating = this.#beating.then(() => this.#publish()).catch(() => undefined);
  }

  async #publish(): Promise<void> {
    const { barrier, shown } = this.log.barrier();
    const timestamp = Date.now();
    const from = this.#published;
    const news = this.log.revocations.slice(from, shown);
    const record = (lane: number, content: Exclude<LaneContent, { kind: 'unknown' }>) => {
      this.#sequences[lane] = (this.#sequences[lane] ?? 0) + 1;
      const { streamId, lanes } = this;
      const place = { streamId, lanes, incarnation: this.#incarnation, sequence: this.#sequences[lane] };
      const encoded = encodeLaneRecord(place, content, { lane, source: '/test', timestamp });
      return { ...encoded, headers: { ...encoded.headers }, partition: lane };
    };
    const revoked = news.map((revocation, at) =>
      record((from + at) % this.lanes, {
        kind: 'revocation',
        published: {
          revocation,
          revocationId: revocation.sid,
          appliesUntil: timestamp + MAX_ACCESS_TTL_MS,
        },
      }),
    );
    const heartbeat = {
      barrier: String(barrier),
      cursor: `c${barrier}`,
      referenceTimeMs: timestamp,
      maxAccessTtlMs: MAX_ACCESS_TTL_MS,
    };
    const lanes = Array.from({ length: this.lanes }, (_, lane) => lane).filter(
      (lane) => lane !== this.#muted,
    );
    const heartbeats = lanes.map((lane) => record(lane, { kind: 'heartbeat', heartbeat }));
    this.#published = shown;
    await this.#producer?.send({ topic: this.topic, acks: -1, messages: [...revoked, ...heartbeats] });
  }

  readonly dial: DialGrpc = () => {
    let open = true;
    return {
      call: (path, handlers) => {
        const watch = path.endsWith('/Watch');
        if (watch) this.watchStreams += 1;
        const receive = watch ? this.#watch(handlers) : this.#renew(handlers);
        return {
          send: (message) => {
            const bytes = Buffer.from(message);
            if (open) setTimeout(() => open && receive(bytes), 1);
          },
          destroy: () => {
            open = false;
          },
        };
      },
      destroy: () => {
        open = false;
      },
    };
  };

  #renew(handlers: CallHandlers): (request: Buffer) => void {
    return (bytes) => {
      if (!this.renews) return;
      this.renewals.push(types.request.decode(bytes) as unknown as { nodeId: string; appliedCursor: string });
      const { barrier } = this.log.barrier();
      const answer = {
        barrier,
        referenceTimeMs: Date.now(),
        maxAccessTtlMs: MAX_ACCESS_TTL_MS,
        renewAfterMs: 200,
        streamId: this.streamId,
        lanes: this.lanes,
        tenants: ['*'],
      };
      handlers.onMessage(Buffer.from(types.answer.encode(answer).finish()));
      handlers.onEnd({ status: 0, message: 'done' });
    };
  }

  #watch(handlers: CallHandlers): (request: Buffer) => void {
    let sent = 0;
    const say = (response: object): void =>
      handlers.onMessage(Buffer.from(types.watchResponse.encode(response).finish()));
    return (bytes) => {
      const { renew } = types.watchRequest.toObject(types.watchRequest.decode(bytes), { longs: Number }) as {
        renew?: { id: number };
      };
      if (!this.watches || renew === undefined) return;
      const { shown } = this.log.barrier();
      for (const revocation of this.log.revocations.slice(sent, shown)) say({ revocation });
      sent = shown;
      const at = { referenceTimeMs: Date.now(), maxAccessTtlMs: MAX_ACCESS_TTL_MS, renewAfterMs: 200 };
      say({ renewed: { id: renew.id, cursor: `c${this.log.barriers}`, ageMs: 0, ...at } });
    };
  }
}
