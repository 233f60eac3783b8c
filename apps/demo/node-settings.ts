/** What the demo tells each API node. */
export interface NodeSettings {
  readonly name: string;
  readonly service: string;
  readonly watch: string;
  readonly apiKey: string;
  readonly issuer: string;
  readonly audience: string;
  /** Absent: the node gets its revocations over Watch. */
  readonly kafka?: { readonly brokers: readonly string[]; readonly topic: string };
}

/** What a node answers when it serves. */
export interface ApiNode {
  readonly name: string;
  readonly url: string;
}
