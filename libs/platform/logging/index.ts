export { createLogger, type LoggerOptions } from './create-logger.js';
export { PinoNestLogger } from './pino-nest-logger.js';
