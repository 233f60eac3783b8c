export * from './curfew-error.js';
export * from './error-catalogue.js';
export * from './events/index.js';
export * from './receipt.js';
export * from './session-messages.js';
export * from './revocation-stream/lane-record.js';
export * from './vocabulary.js';
