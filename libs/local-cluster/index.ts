export * from './child.js';
export * from './service.js';
