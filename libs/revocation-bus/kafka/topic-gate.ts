import type { Kafka } from 'kafkajs';
import { isCurfewError, type CurfewError } from '#contracts';
import type { Timers } from '../timers.js';
import { checkTopics, topicsRefused, type TopicFinding } from './topics.js';
import type { WantedTopic } from './wanted-topics.js';

/** A relay that lost a producer opens the next one at once; the topics were right a moment ago. */
const REMEMBERED_MS = 60_000;

export interface TopicGateOptions {
  readonly kafka: Kafka;
  readonly wanted: readonly WantedTopic[];
  readonly timers: Pick<Timers, 'monotonic'>;
  /** Told once when the findings change, and never while they stay the same. */
  readonly onRefused: (error: CurfewError<'ERR_KAFKA_TOPIC_REFUSED'>) => void;
}

/** Lets the relay publish to topics that are as they must be, and to no others. */
export class TopicGate {
  private current: readonly TopicFinding[] = [];
  private told = '';
  private rightAt: number | undefined;

  constructor(private readonly options: TopicGateOptions) {}

  /** Of the last check that the brokers answered. */
  get findings(): readonly TopicFinding[] {
    return this.current;
  }

  /** Opens what `open` opens once the topics are right. A check that found them so counts for a minute. */
  guard<T>(open: () => Promise<T>): () => Promise<T> {
    return async () => {
      const { rightAt } = this;
      if (rightAt === undefined || this.options.timers.monotonic() - rightAt > REMEMBERED_MS)
        await this.pass();
      try {
        return await open();
      } catch (error) {
        // It may have been deleted or made anew meanwhile.
        this.rightAt = undefined;
        throw error;
      }
    };
  }

  /**
   * Checks the topics, about 50 ms.
   * @throws CurfewError ERR_KAFKA_TOPIC_REFUSED; what kafkajs throws when no broker answers
   */
  async pass(): Promise<void> {
    const { kafka, wanted, timers } = this.options;
    this.rightAt = undefined;
    const admin = kafka.admin();
    try {
      await admin.connect();
      this.current = await checkTopics(admin, wanted);
    } finally {
      void admin.disconnect().catch(() => undefined);
    }
    if (this.current.length === 0) {
      this.told = '';
      this.rightAt = timers.monotonic();
      return;
    }
    const error = topicsRefused(this.current);
    if (error.message !== this.told) this.options.onRefused(error);
    this.told = error.message;
    throw error;
  }

  /**
   * At start: waits for the brokers so long, and no longer. One that is away does not stop a start, a topic that is wrong does.
   * @returns whether the topics were found right
   * @throws CurfewError ERR_KAFKA_TOPIC_REFUSED
   */
  async passWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const passing = this.pass().then(
      () => true,
      (error: unknown) => {
        if (isCurfewError(error, 'ERR_KAFKA_TOPIC_REFUSED')) throw error;
        return false;
      },
    );
    // A refusal that comes too late has been told; nobody is there to catch it.
    passing.catch(() => undefined);
    return Promise.race([passing, late]).finally(() => clearTimeout(timer));
  }
}
