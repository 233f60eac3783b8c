import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, logLevel, type ISocketFactory, type KafkaConfig } from 'kafkajs';

const KEEP_ALIVE_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5000;

/** A kafkajs client for one life of the consumer. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Ends its connections at once and lets none be made again: kafkajs itself waits for answers that may never come. */
  cut(): void;
}

/** What kafkajs does unless told otherwise, and keeping no process alive. */
const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  // Typed as always there; it is what the caller gave for `ssl`, or nothing.
  if (!(ssl as unknown)) return connectTcp({ host, port }, onConnect);
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ...name, ...ssl }, onConnect);
};

function clientOf(config: KafkaConfig): KafkaClient {
  const open = config.socketFactory ?? openSocket;
  const sockets = new Set<Socket>();
  let isCut = false;
  const socketFactory: ISocketFactory = (address) => {
    if (isCut) throw new Error('closed');
    const socket = open(address);
    socket.setKeepAlive(true, KEEP_ALIVE_MS).unref();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  // What it would print comes as diagnostics; who gives a logger or a level wants to read it.
  const quiet = { logLevel: logLevel.NOTHING, requestTimeout: REQUEST_TIMEOUT_MS, clientId: 'curfew' };
  return {
    kafka: new Kafka({
      ...quiet,
      ...(config.logCreator && { logLevel: logLevel.INFO }),
      ...config,
      socketFactory,
    }),
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy(new Error('closed'));
    },
  };
}

/** A client for each life of the consumer, or the caller's own one, whose connections are not ours to cut. */
export function kafkaClients(given: KafkaConfig | Kafka): () => KafkaClient {
  if ('consumer' in given) return () => ({ kafka: given, cut: () => undefined });
  return () => clientOf(given);
}
