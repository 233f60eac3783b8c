import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredRecord } from '../chaos-kafka.js';
import type { Fault } from '../fault.js';

const AT_A_TIME = 40;
const REMEMBERED = 2_000;
const PAUSE_MS = 100;

/** Records of earlier are written once more, heartbeats and revocations, out of order and between those of now. */
export const recordsRepeated: Fault = {
  name: 'records repeated and out of order',
  breaks: ['topic', 'broker'],
  needs: ['Kafka'],
  async inject({ cluster: { brokers }, random }) {
    const known: StoredRecord[] = [];
    const stopReading = await brokers.follow((record) => {
      if (known.length < REMEMBERED) known.push(record);
      else known[Math.floor(random() * REMEMBERED)] = record;
    });
    let healed = false;
    const draw = (): StoredRecord[] =>
      Array.from({ length: AT_A_TIME }, () => known[Math.floor(random() * known.length)]).filter(
        (record) => record !== undefined,
      );
    const repeating = (async () => {
      while (!healed) {
        const records = draw();
        if (records.length > 0) await brokers.republish(records);
        await sleep(PAUSE_MS);
      }
    })();
    return async () => {
      healed = true;
      await repeating.finally(stopReading);
    };
  },
};
