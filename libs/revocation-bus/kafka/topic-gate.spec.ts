import { describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { TopicGate } from './topic-gate.js';
import type { WantedTopic } from './wanted-topics.js';

const WANTED: WantedTopic[] = [
  { name: 'r', partitions: 4, partitionsAreFixed: false, replication: 1, configs: [], extras: {} },
];
const missing = () => Object.assign(new Error('unknown'), { type: 'UNKNOWN_TOPIC_OR_PARTITION' });

/** Brokers with the topic, without it, or away. */
class Brokers {
  state: 'right' | 'missing' | 'away' | 'silent' = 'right';
  checks = 0;
  readonly kafka = {
    admin: () => ({
      connect: () => {
        if (this.state === 'silent') return new Promise(() => undefined);
        return this.state === 'away' ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve();
      },
      disconnect: () => Promise.resolve(),
      fetchTopicMetadata: () => {
        this.checks++;
        if (this.state === 'missing') return Promise.reject(missing());
        return Promise.resolve({ topics: [{ name: 'r', partitions: [{ replicas: [1] }] }] });
      },
      describeConfigs: () => Promise.resolve({ resources: [{ configEntries: [] }] }),
    }),
  } as unknown as Kafka;
}

function gateOf(brokers: Brokers) {
  const told: string[] = [];
  let now = 0;
  const gate = new TopicGate({
    kafka: brokers.kafka,
    wanted: WANTED,
    timers: { monotonic: () => now },
    onRefused: ({ message }) => told.push(message),
  });
  return { gate, told, wait: (ms: number) => (now += ms) };
}

describe('TopicGate', () => {
  it('opens nothing until the topics are right, and says so once', async () => {
    const brokers = new Brokers();
    const { gate, told } = gateOf(brokers);
    let opened = 0;
    const open = gate.guard(() => Promise.resolve(++opened));
    brokers.state = 'missing';
    for (let i = 0; i < 3; i++)
      await expect(open()).rejects.toMatchObject({ code: 'ERR_KAFKA_TOPIC_REFUSED' });
    expect([opened, told, gate.findings.map(({ setting }) => setting)]).toEqual([
      0,
      ['r: existence is missing, must be there. Mend: curfew topics create'],
      ['existence'],
    ]);
    brokers.state = 'right';
    expect([await open(), gate.findings]).toEqual([1, []]);
    brokers.state = 'missing';
    await expect(gate.pass()).rejects.toThrow('existence');
    expect(told).toHaveLength(2);
  });

  it('asks again after a minute, and after an opening that failed', async () => {
    const brokers = new Brokers();
    const { gate, wait } = gateOf(brokers);
    const open = gate.guard(() => Promise.resolve());
    await open();
    await open();
    expect(brokers.checks).toBe(1);
    wait(60_001);
    await open();
    expect(brokers.checks).toBe(2);
    const failing = gate.guard(() => Promise.reject(new Error('no producer')));
    await expect(failing()).rejects.toThrow('no producer');
    await open();
    expect(brokers.checks).toBe(3);
  });

  it('does not stop a start for a broker that is away or silent, only for a topic that is wrong', async () => {
    const brokers = new Brokers();
    const { gate, told } = gateOf(brokers);
    expect(await gate.passWithin(1_000)).toBe(true);
    brokers.state = 'away';
    expect(await gate.passWithin(1_000)).toBe(false);
    brokers.state = 'silent';
    expect(await gate.passWithin(10)).toBe(false);
    expect(told).toEqual([]);
    brokers.state = 'missing';
    await expect(gate.passWithin(1_000)).rejects.toMatchObject({ code: 'ERR_KAFKA_TOPIC_REFUSED' });
  });
});
