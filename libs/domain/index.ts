export * from './sealed.js';
export * from './streams.js';
export * from './session/ending.js';
export * from './session/events.js';
export * from './session/policy.js';
export * from './user/events.js';
