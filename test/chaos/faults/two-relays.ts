import type { Fault } from '../fault.js';
import { deposeRelay, relayLeader } from '../relay-leader.js';

/** The leading relay is stopped, another one takes over, and the first goes on where it was. */
export const twoRelays: Fault = {
  name: 'two relays at once',
  breaks: ['services', 'postgres', 'broker'],
  needs: ['Kafka'],
  async inject({ cluster }) {
    const first = await relayLeader(cluster);
    first.signal('SIGSTOP');
    try {
      await deposeRelay(cluster);
      await relayLeader(cluster, first);
    } finally {
      first.signal('SIGCONT');
    }
    return () => Promise.resolve();
  },
};
