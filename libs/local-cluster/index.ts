export * from './api-key.js';
export * from './child.js';
export * from './grpc-clients.js';
export * from './kafka-topics.js';
export * from './service.js';
export * from './kafka/index.js';
