import { oneOf, type Fault } from '../fault.js';

/** SIGSTOP of a broker. */
export const brokerPaused: Fault = {
  name: 'broker paused',
  breaks: ['broker'],
  needs: ['Kafka'],
  lasts: { short: 3_000, long: 10_000 },
  async inject(stage) {
    const broker = oneOf(stage, stage.cluster.brokers.nodes);
    await broker.pause();
    return () => broker.resume();
  },
};
