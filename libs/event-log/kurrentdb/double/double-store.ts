/** What the double keeps: one log, the streams in it, and the rules of an append. In memory. */

export interface DoubleEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface StoredDoubleEvent extends DoubleEvent {
  readonly stream: string;
  readonly revision: number;
  /** Both the commit and the prepare position, as for events that a server commits with their own record. */
  readonly position: bigint;
  /** Milliseconds. */
  readonly created: number;
}

/** Expected revisions other than a number from 0, by their numbers in the protocol. */
export const EXPECTED = { none: -1, any: -2, exists: -4 } as const;

export interface DoubleAppend {
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly DoubleEvent[];
}

export type DoubleAppendResult =
  | { readonly appended: true; readonly position: bigint; readonly revisions: readonly number[] }
  | { readonly appended: false; readonly stream: string; readonly expected: number; readonly actual: number };

export class DoubleStore {
  /** In the order of their positions. */
  readonly all: StoredDoubleEvent[] = [];
  private readonly streams = new Map<string, StoredDoubleEvent[]>();
  private readonly listeners = new Set<() => void>();
  /** False: an append that is repeated is refused like any other. */
  answersRepeats = true;
  private nextPosition = 1_000n;

  /** All or nothing, as `WriteEvents` of a server. */
  append(appends: readonly DoubleAppend[]): DoubleAppendResult {
    if (this.answersRepeats && appends.every((append) => this.isRepeated(append)))
      return this.repeated(appends);
    for (const { stream, expected } of appends) {
      const actual = this.lastRevision(stream);
      if (!isAsExpected(expected, actual)) return { appended: false, stream, expected, actual };
    }
    let position = 0n;
    const revisions = appends.map(({ stream, events }) => {
      for (const event of events) position = this.store(stream, event);
      return this.lastRevision(stream);
    });
    for (const listener of [...this.listeners]) listener();
    return { appended: true, position, revisions };
  }

  /** Undefined if there is no such stream. Events beyond its `$maxCount` are not shown. */
  stream(name: string): readonly StoredDoubleEvent[] | undefined {
    const events = this.streams.get(name);
    if (events === undefined) return undefined;
    const limit = this.maxCount(name);
    return limit === undefined ? events : events.slice(-limit);
  }

  /** Calls back after each append. Returns a stop. */
  onAppended(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private lastRevision(stream: string): number {
    return (this.streams.get(stream)?.length ?? 0) - 1;
  }

  private isRepeated({ stream, expected, events }: DoubleAppend): boolean {
    const stored = this.streams.get(stream) ?? [];
    if (expected < -1) return events.every(({ id }) => stored.some((event) => event.id === id));
    return events.every(({ id }, i) => stored[expected + 1 + i]?.id === id);
  }

  /** A server tells some position of the first write, and which one is not documented: here, its first event's. */
  private repeated(appends: readonly DoubleAppend[]): DoubleAppendResult {
    const first = appends[0]!;
    const event = this.streams.get(first.stream)!.find(({ id }) => id === first.events[0]!.id)!;
    const revisions = appends.map(({ stream }) => this.lastRevision(stream));
    return { appended: true, position: event.position, revisions };
  }

  private store(stream: string, event: DoubleEvent): bigint {
    let events = this.streams.get(stream);
    if (events === undefined) this.streams.set(stream, (events = []));
    const position = this.nextPosition;
    const stored = { ...event, stream, revision: events.length, position, created: Date.now() };
    events.push(stored);
    this.all.push(stored);
    this.nextPosition += BigInt(100 + event.data.length + event.metadata.length);
    return position;
  }

  private maxCount(stream: string): number | undefined {
    const metadata = this.streams.get(`$$${stream}`)?.at(-1);
    if (metadata === undefined) return undefined;
    const { $maxCount } = JSON.parse(Buffer.from(metadata.data).toString()) as { $maxCount?: number };
    return $maxCount;
  }
}

function isAsExpected(expected: number, actual: number): boolean {
  if (expected === EXPECTED.any) return true;
  if (expected === EXPECTED.exists) return actual >= 0;
  return expected === actual;
}
