export * from './curfew-error.js';
export * from './error-catalogue.js';
export * from './session-messages.js';
export * from './vocabulary.js';
