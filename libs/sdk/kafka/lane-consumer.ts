import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { Clocks } from '../core/clocks.js';
import type { KafkaClient } from './kafka-client.js';
import { pinLanes } from './lane-offsets.js';
import type { Pin } from './lane.js';
import { SilenceWatch } from './silence-watch.js';

/** A group that has no members waits 3 s for others unless the broker is told otherwise. */
const START_MS = 20_000;
const CLOSE_MS = 2000;
/** A join whose answer was lost leaves a member behind, and the next join waits for its end. */
const SESSION_MS = 10_000;

export interface LaneConsumerSettings {
  readonly topic: string;
  readonly groupId: string;
  readonly lanes: number;
  /** Reference time, milliseconds: where to begin. */
  readonly since: number;
  readonly maxWaitTimeInMs: number;
}

export interface LaneConsumerHandlers {
  /** Once, before any record. */
  onPinned(pins: readonly Pin[]): void;
  /** Must not throw. */
  onRecord(lane: number, message: KafkaMessage): void;
  /** It joined the group once more: what was processed before goes on from there. */
  onRejoin(): void;
  /** Once, unless it was closed; nothing follows. */
  onEnd(reason: string): void;
}

/**
 * One life of a kafkajs consumer that reads every lane from the pinned offsets, in a group of its own and with nothing ever
 * committed. What kafkajs would mend in its own way ends it: it goes on silently at another offset (ADR 18).
 */
export class LaneConsumer {
  readonly #client: KafkaClient;
  readonly #settings: LaneConsumerSettings;
  readonly #handlers: LaneConsumerHandlers;
  readonly #silence: SilenceWatch;
  /** By lane: the offset of the next record. */
  readonly #next: bigint[] = [];
  #consumer: Consumer | undefined;
  #starting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #joins = 0;
  #closing: Promise<void> | undefined;
  #abandoned = false;

  constructor(
    client: KafkaClient,
    settings: LaneConsumerSettings,
    clocks: Clocks,
    handlers: LaneConsumerHandlers,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#handlers = handlers;
    this.#silence = new SilenceWatch(client.kafka, settings.topic, this.#next, clocks, (reason) =>
      this.#end(reason),
    );
  }

  start(): void {
    this.#timer = setTimeout(() => this.#end('did not join its group in time'), START_MS).unref();
    this.#starting = this.#start().catch((error: unknown) => this.#end(String(error)));
  }

  /** Leaves the group; what does not answer in 2 s is cut off. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#silence.close();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    // `disconnect` during a join would leave behind a consumer that goes on once it has joined.
    const leaving = (async () => {
      await this.#starting;
      await this.#consumer?.disconnect();
    })();
    await Promise.race([leaving.catch(() => undefined), patience]);
    clearTimeout(timer);
    this.#abandoned = true;
    this.#client.cut();
  }

  async #start(): Promise<void> {
    const { topic, groupId, lanes, since, maxWaitTimeInMs } = this.#settings;
    const { kafka } = this.#client;
    const pins = await pinLanes(kafka, topic, since);
    if (this.#closing) return;
    if (pins.length !== lanes) throw new RangeError(`topic has ${pins.length} lanes, the stream ${lanes}`);
    this.#next.push(...pins.map(({ offset }) => offset));
    this.#handlers.onPinned(pins);

    const consumer = kafka.consumer({
      groupId,
      maxWaitTimeInMs,
      minBytes: 1,
      sessionTimeout: SESSION_MS,
      allowAutoTopicCreation: false,
      // An open transaction, of whomever, must not hold anything back; the relay has none.
      readUncommitted: true,
      retry: {
        retries: 2,
        initialRetryTime: 100,
        maxRetryTime: 1000,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    this.#consumer = consumer;
    const { GROUP_JOIN, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment[topic] ?? []));
    consumer.on(CRASH, ({ payload }) => this.#end(payload.error.message));
    await consumer.connect();
    // From the beginning: where an offset is out of range, kafkajs would otherwise go on at the end.
    await consumer.subscribe({ topic, fromBeginning: true });
    if (this.#closing) return;
    await consumer.run({ autoCommit: false, eachBatch: (payload) => this.#read(payload) });
  }

  /** Called before any fetch of the new generation: kafkajs forgot where it was. */
  #joined(assigned: readonly number[]): void {
    this.#assertWanted();
    // `close` waits for it, and leaves the group again.
    if (this.#closing) return;
    const { topic, lanes } = this.#settings;
    if (new Set(assigned).size !== lanes)
      return this.#end(`was assigned ${assigned.length} of ${lanes} lanes`);
    for (const [partition, offset] of this.#next.entries())
      this.#consumer?.seek({ topic, partition, offset: offset.toString() });
    clearTimeout(this.#timer);
    this.#silence.start();
    this.#joins += 1;
    if (this.#joins > 1) this.#handlers.onRejoin();
  }

  #read({ batch }: EachBatchPayload): Promise<void> {
    for (const message of batch.messages) {
      this.#assertWanted();
      if (this.#closing) break;
      this.#next[batch.partition] = BigInt(message.offset) + 1n;
      this.#silence.heard(batch.partition);
      this.#handlers.onRecord(batch.partition, message);
    }
    return Promise.resolve();
  }

  /** What goes on after it was given up cannot be stopped in any other way; of this class kafkajs does not try again. */
  #assertWanted(): void {
    if (this.#abandoned) throw new RangeError('closed');
  }

  #end(reason: string): void {
    if (this.#closing) return;
    void this.close();
    this.#handlers.onEnd(reason);
  }
}
