import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.js';

/** Everything on the topic is deleted, twice: offsets go on, and what a node has not read is gone. */
export const topicTruncated: Fault = {
  name: 'topic truncated',
  breaks: ['topic', 'broker'],
  needs: ['Kafka'],
  async inject({ cluster: { brokers } }) {
    await brokers.truncate();
    return () => brokers.truncate();
  },
};

/** The topic is deleted and made anew: offsets begin at 0. */
export const topicRecreated: Fault = {
  name: 'topic created anew',
  breaks: ['topic', 'broker'],
  needs: ['Kafka'],
  async inject({ cluster: { brokers }, random }) {
    await brokers.deleteTopic();
    await sleep(random() * 1_000);
    await brokers.createTopics();
    return () => Promise.resolve();
  },
};
