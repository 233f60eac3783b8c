export * from './config/index.js';
export * from './embedded-postgres/index.js';
export * from './postgres/index.js';
export * from './logging/index.js';
export { startStopwatch, type Clocks } from './stopwatch.js';
