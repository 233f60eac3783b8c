import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.js';
import { relayLeader } from '../relay-leader.js';

const PRODUCE_TAKES_MS = 150;

/** kill -9 of the leading relay. Its way to the brokers is slowed down first, so that a batch is on the way. */
export const relayKilled: Fault = {
  name: 'relay killed in the middle of a batch',
  breaks: ['services', 'postgres', 'broker'],
  needs: ['Kafka'],
  async inject(stage) {
    const leader = await relayLeader(stage.cluster);
    for (const path of leader.brokerPaths) path.slowDown(PRODUCE_TAKES_MS);
    await sleep(500 + stage.random() * PRODUCE_TAKES_MS);
    await leader.kill();
    for (const path of leader.brokerPaths) path.heal();
    return () => leader.restart();
  },
};
