export * from './setting.js';
export * from './shared-settings.js';
export { nearestName } from './nearest-name.js';
export { readSettings, type Variables } from './read-settings.js';
