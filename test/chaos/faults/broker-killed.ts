import { oneOf, type Fault } from '../fault.js';

/** kill -9 of a broker, which comes back with its data. */
export const brokerKilled: Fault = {
  name: 'broker killed',
  breaks: ['broker'],
  needs: ['Kafka'],
  async inject(stage) {
    const broker = oneOf(stage, stage.cluster.brokers.nodes);
    await broker.kill();
    return () => broker.restart();
  },
};
