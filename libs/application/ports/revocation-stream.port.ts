/** What is published to Kafka for the nodes, as the relay last put it on record. */
export interface RevocationStreamInfo {
  /** Names one life of the topic: a new one when it was made anew or its lanes changed. Heartbeats carry it. */
  readonly streamId: string;
  readonly lanes: number;
}

/** The Kafka stream that this installation's relay keeps, if it keeps one. Errors: `CurfewError('ERR_UNAVAILABLE')`. */
export interface RevocationStream {
  /** Cheap: asked at each renewal; may be a second old. */
  current(): Promise<RevocationStreamInfo | undefined>;
}
export const REVOCATION_STREAM = Symbol('RevocationStream');
