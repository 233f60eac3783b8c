export { PostgresSessionViews } from './postgres-session-views.js';
export { sessionViewsMigrations } from './schema.js';
export { sessionViewChanges, type SessionViewChange } from './session-view-changes.js';
