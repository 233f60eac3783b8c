import type { Fault } from '../fault.js';

/** A transaction with a transaction id stays open: everything that reads the log in order waits; revocations must not. */
export const oldTransaction: Fault = {
  name: 'old transaction left open',
  breaks: ['postgres'],
  lasts: { short: 3_000, long: 60_000 },
  async inject({ cluster: { postgres } }) {
    const client = await postgres.connectAsOperator();
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    return async () => {
      await client.query('commit');
      await client.end();
    };
  },
};
