import type { Cursor } from './log-store.js';

type Request =
  { readonly kind: 'hello'; readonly cursor: Cursor } | { readonly kind: 'renew'; readonly id: number };

export type Answer =
  | { readonly kind: 'revocation'; readonly rev: number }
  | { readonly kind: 'renewed'; readonly id: number; readonly cursor: Cursor };

/** One Watch stream: two ordered queues. A cut takes what is still under way in both. */
export interface WatchStream {
  /** Tells the streams of one node apart. */
  readonly serial: number;
  readonly instance: number;
  requests: Request[];
  answers: Answer[];
  /** The instance has processed `hello`. */
  subscribed: boolean;
  /** The instance puts live rows into it. */
  live: boolean;
  broken: boolean;
}

export const openStream = (serial: number, instance: number, cursor: Cursor): WatchStream => ({
  serial,
  instance,
  requests: [{ kind: 'hello', cursor }],
  answers: [],
  subscribed: false,
  live: false,
  broken: false,
});

export function cut(stream: WatchStream): void {
  stream.requests = [];
  stream.answers = [];
  stream.broken = true;
}
