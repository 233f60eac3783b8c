import { PinoNestLogger } from '#platform';

/** Parts of Nest that tell of every route and module at each start, and of errors that are thrown as well. */
const CHATTY = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestMicroservice',
  'NestApplication',
]);

/** The log of the service: Nest's own account of its start is for debugging. */
export class ServiceLogger extends PinoNestLogger {
  override log(message: unknown, ...parameters: unknown[]): void {
    if (CHATTY.has(String(parameters.at(-1)))) this.debug(message, ...parameters);
    else super.log(message, ...parameters);
  }

  override error(message: unknown, ...parameters: unknown[]): void {
    if (CHATTY.has(String(parameters.at(-1)))) this.debug(message, ...parameters);
    else super.error(message, ...parameters);
  }
}
