export * from './barrier-reference-clock.js';
export * from './followed-revocations.js';
export * from './renewal-desk.js';
export * from './revocation-follower.js';
export * from './timers.js';
export * from './watch-hub.js';
export * from './watch-message.js';
export type { CutReason, WatchSubscriberOptions, WatchSubscription } from './watch-subscriber.js';
export * from './kafka/index.js';
