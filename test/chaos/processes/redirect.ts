import net from 'node:net';

/**
 * For `node --import`: connections of this process to some ports of the machine go to others. So a client of Kafka, which goes
 * where the brokers say that they are, goes through proxies of the test.
 */
const ports = JSON.parse(process.env['CHAOS_REDIRECT'] ?? '{}') as Readonly<Record<string, number>>;

type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket;

const isAddress = (value: unknown): value is { port?: number | string } =>
  typeof value === 'object' && value !== null && 'port' in value;

function redirected(value: unknown): unknown {
  const port = isAddress(value) && value.port !== undefined ? ports[String(value.port)] : undefined;
  return port === undefined ? value : { ...(value as object), port };
}

const socket = net.Socket.prototype as unknown as { connect: Connect };
const { connect } = socket;
socket.connect = function (...args) {
  // `net.connect` hands over its arguments in one array, which is marked: changed in place.
  const [first] = args;
  if (Array.isArray(first)) first[0] = redirected(first[0]);
  else args[0] = redirected(first);
  return connect.apply(this, args);
};
