export * from './decode-strictly.js';
export * from './grpc-server.js';
export * from './grpc-status.js';
export * from './protos.js';
export {
  MAX_BOUND_MS,
  MAX_CURSOR,
  MAX_NODE_ID,
  type NodeReception,
  type WatchRequest,
} from './watch-stream.js';
export * from './watch-streams.js';
