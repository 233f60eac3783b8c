export * from './dedicated-connection.js';
export * from './migrations.js';
export { openPool, transactionTimeout, type PoolOptions } from './pool.js';
export { refuseUnsafeServer } from './server-safety.js';
export * from './storable-text.js';
export { isConnectionFailure, unavailableIfConnection } from './unavailable.js';
