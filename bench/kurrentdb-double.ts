import { KurrentDbDouble } from '../libs/event-log/kurrentdb/double/kurrentdb-double.js';

/** NOT KurrentDB: its protocol double, in a process of its own so that it does not share the callers' event loop. */
const double = await KurrentDbDouble.start();
process.send?.({ ready: { url: double.url } });
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
