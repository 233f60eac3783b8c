export * from './curfew-error.js';
export * from './error-catalogue.js';
export * from './vocabulary.js';
