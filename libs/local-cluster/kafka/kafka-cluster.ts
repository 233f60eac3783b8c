/** Where a broker comes from: `KAFKA_BROKERS`, a container, or the broker's own jars on this machine's Java. */
export type KafkaOrigin = 'external' | 'docker' | 'jars';

export interface KafkaCluster {
  readonly how: KafkaOrigin;
  /** Apache Kafka's version; `unknown` for brokers that are not ours. */
  readonly version: string;
  /** `host:port` of every node: what a client's `brokers` takes. */
  readonly brokers: readonly string[];
  readonly nodes: readonly KafkaNode[];
  /** Ends every process and removes their data. External brokers are left as they are. May be called twice. */
  stop(): Promise<void>;
}

/** One broker, and in these clusters one controller too. With external brokers every method throws. */
export interface KafkaNode {
  readonly id: number;
  /** `host:port`; the same after a restart. */
  readonly broker: string;
  /** SIGKILL. Resolves when the process is gone; what the others take over comes up to 3 s later. */
  kill(): Promise<void>;
  /** SIGSTOP: sockets stay open and nothing answers. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Starts it on the same port and data, after SIGTERM if it runs. Resolves when it serves. */
  restart(): Promise<void>;
}

/** A cluster whose client listener is SASL over TLS, with ACLs in force: what nobody has allowed is refused. */
export interface SecuredKafkaCluster extends KafkaCluster {
  /** PEM of the authority that signed the brokers' certificates (127.0.0.1, localhost). */
  readonly tls: { readonly ca: string };
  /** Each may log in by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. `admin` is a super user; the others may do nothing until an ACL allows it. */
  readonly users: Readonly<Record<KafkaUserName, KafkaUser>>;
  /** A second listener of the same nodes: TLS with a client certificate, no SASL. */
  readonly mutualTls: {
    readonly brokers: readonly string[];
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    /** What ACLs call the bearer of the certificate; a super user. */
    readonly principal: string;
  };
}

export type KafkaUserName = 'admin' | 'relay' | 'node' | 'stranger';

export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

export interface KafkaClusterOptions {
  /** Three are brokers and controllers at once, with replication 3. 1 if absent. */
  readonly nodes?: 1 | 3;
  /** `plaintext` if absent. */
  readonly security?: 'plaintext' | 'sasl-ssl';
  /** Told what takes time: download, format, start. */
  readonly onLine?: (line: string) => void;
}
