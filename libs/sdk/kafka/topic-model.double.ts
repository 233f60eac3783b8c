import type { Heartbeat, LaneRecord } from '#contracts';
import type { Pin, StreamView } from './lane.js';
import type { Lanes } from './lanes.js';

/** In steps of the model: how long a token lives, and how much further back is replayed and republished. */
const TOKEN_LIFE = 20;
const MARGIN = 10;
const WINDOW = TOKEN_LIFE + MARGIN;
/** How many records in front of the window are read as well. */
const IN_FRONT = 3;

interface StoredRecord {
  readonly record: LaneRecord;
  /** Its timestamp: the step of the read that showed it. */
  readonly at: number;
}

interface ModelLane {
  /** By offset. */
  readonly records: StoredRecord[];
  /** The first offset that is still there. */
  low: number;
}

interface Leader {
  readonly stream: StreamView;
  readonly incarnation: number;
  readonly since: number;
  readonly sequences: number[];
  published: number;
}

/** What happens to the part of a batch that goes to one lane. */
export type Fate = 'written' | 'lost' | 'late' | 'twice' | 'swapped' | 'holed';

interface LatePart {
  readonly lane: number;
  readonly part: readonly StoredRecord[];
  readonly due: number;
}

const revocation = (id: number): LaneRecord['content'] => ({
  kind: 'revocation',
  published: {
    revocation: {
      scope: 'session',
      tenant: 't',
      sub: 'u',
      sid: String(id),
      reason: 'admin',
      initiator: 'admin',
      position: String(id),
    },
    revocationId: String(id),
    appliesUntil: 0,
  },
});

const heartbeat = (barrier: number): LaneRecord['content'] => ({
  kind: 'heartbeat',
  heartbeat: {
    barrier: String(barrier),
    cursor: '',
    referenceTimeMs: 1,
    maxAccessTtlMs: 1,
  } satisfies Heartbeat,
});

/**
 * A log of revocations with its barriers, relays, a topic, and one node that reads it through `Lanes`. Relays and topic may do
 * anything but lie: each heartbeat is written behind the revocations that its barrier showed, whatever happens to the records
 * then. Time is a count of steps.
 */
export class TopicModel {
  now = WINDOW;
  /** The step at which each revocation was committed. */
  readonly revocations: number[] = [];
  #barriers = 0;
  #incarnations = 0;
  #streams = 1;
  #topic: ModelLane[] = [];
  /** What `Renew` says. */
  #stream: StreamView;
  readonly #leaders: Leader[] = [];
  #late: LatePart[] = [];
  /** The node. */
  readonly #applied = new Set<number>();
  #lanes: Lanes | undefined;
  #next: number[] = [];
  leases = 0;
  violation: string | undefined;

  constructor(
    private readonly makeLanes: (stream: StreamView, pins: readonly Pin[]) => Lanes,
    lanes = 2,
  ) {
    this.#topic = Array.from({ length: lanes }, () => ({ records: [], low: 0 }));
    this.#stream = { streamId: 's1', lanes };
    this.lead();
  }

  step(): void {
    this.now += 1;
    for (const { lane, part } of this.#late.filter(({ due }) => due <= this.now)) this.#write(lane, part);
    this.#late = this.#late.filter(({ due }) => due > this.now);
  }

  /** Its call has returned. */
  revoke(): void {
    this.revocations.push(this.now);
  }

  /** A new leader; the old ones go on as if they did not know. */
  lead(): void {
    this.#incarnations += 1;
    const lanes = this.#topic.length;
    this.#leaders.push({
      stream: { streamId: this.#stream.streamId, lanes },
      incarnation: this.#incarnations,
      since: this.now - WINDOW,
      sequences: Array.from({ length: lanes }, () => 0),
      published: 0,
    });
  }

  /** A relay of another log store, which found its way to this topic. */
  leadForeign(): void {
    this.lead();
    const leader = this.#leaders.pop()!;
    this.#leaders.push({
      ...leader,
      stream: { ...leader.stream, streamId: 'foreign' },
      published: Infinity,
    });
  }

  /** A leader that has noticed what became of the topic: the stream has another name since. */
  leadAnew(): void {
    this.#streams += 1;
    this.#stream = { streamId: `s${this.#streams}`, lanes: this.#topic.length };
    this.lead();
  }

  /** A barrier, the read behind it, and one batch. @param fates by lane. */
  beat(which: number, fates: readonly Fate[]): void {
    const leader = this.#leaders[this.#leaders.length - 1 - (which % this.#leaders.length)]!;
    const isForeign = leader.stream.streamId === 'foreign';
    this.#barriers += 1;
    const barrier = isForeign ? this.#barriers + 1000 : this.#barriers;
    const parts = leader.sequences.map((): StoredRecord[] => []);
    const put = (lane: number, content: LaneRecord['content']): void => {
      const sequence = (leader.sequences[lane] ?? 0) + 1;
      leader.sequences[lane] = sequence;
      const place = { ...leader.stream, incarnation: leader.incarnation, sequence };
      parts[lane]!.push({ record: { place, content }, at: this.now });
    };
    for (let id = leader.published; id < this.revocations.length; id += 1)
      if (this.revocations[id]! >= leader.since) put(id % parts.length, revocation(id));
    if (!isForeign) leader.published = this.revocations.length;
    for (const lane of parts.keys()) put(lane, heartbeat(barrier));
    for (const [lane, part] of parts.entries()) this.#deliver(lane, part, fates[lane % fates.length]!);
  }

  #deliver(lane: number, part: readonly StoredRecord[], fate: Fate): void {
    if (fate === 'lost') return;
    if (fate === 'late') {
      // Not later than the margin: a record that was written then would have a timestamp from before the window.
      this.#late.push({ lane, part, due: this.now + 3 });
      return;
    }
    if (fate === 'holed') return this.#write(lane, part.slice(1));
    this.#write(lane, fate === 'swapped' ? [...part].reverse() : part);
    if (fate === 'twice') this.#write(lane, part);
  }

  #write(lane: number, part: readonly StoredRecord[]): void {
    this.#topic[lane]?.records.push(...part);
  }

  /** Somebody writes earlier records once more, as they are. */
  repeat(lane: number, share: number): void {
    const { records, low } = this.#topic[lane % this.#topic.length]!;
    const from = Math.max(low, Math.floor(records.length * share));
    records.push(...records.slice(from, from + 3));
  }

  truncate(lane: number, share: number): void {
    const target = this.#topic[lane % this.#topic.length]!;
    target.low = Math.max(target.low, Math.floor(target.records.length * share));
  }

  recreate(lanes: number): void {
    this.#topic = Array.from({ length: lanes }, () => ({ records: [], low: 0 }));
  }

  addLane(): void {
    this.#topic.push({ records: [], low: 0 });
  }

  /** The node begins anew, in front of the window. */
  pin(): void {
    this.#lanes = undefined;
    if (this.#topic.length !== this.#stream.lanes) return;
    const since = this.now - WINDOW;
    const pins = this.#topic.map(({ records, low }) => {
      const found = records.findIndex(({ at }, offset) => offset >= low && at >= since);
      const pin = found < 0 ? records.length : found;
      return { offset: BigInt(low < pin ? Math.max(low, pin - IN_FRONT) : pin), window: BigInt(pin), since };
    });
    this.#next = pins.map(({ offset }) => Number(offset));
    this.#lanes = this.makeLanes(this.#stream, pins);
  }

  /** kafkajs begins to read elsewhere, without a word. */
  jump(lane: number, share: number): void {
    const at = lane % this.#next.length;
    const { records, low } = this.#topic[at] ?? { records: [], low: 0 };
    if (this.#next.length > 0) this.#next[at] = Math.max(low, Math.floor(records.length * share));
  }

  read(lane: number, count: number): void {
    const at = lane % Math.max(this.#next.length, 1);
    const target = this.#topic[at];
    if (this.#lanes === undefined || target === undefined) return;
    for (let left = count; left > 0; left -= 1) {
      const isInRange = this.#next[at]! >= target.low && this.#next[at]! <= target.records.length;
      if (!isInRange) this.#next[at] = target.low;
      const offset = this.#next[at]!;
      const stored = target.records[offset];
      if (stored === undefined) return;
      this.#next[at] = offset + 1;
      const { content } = stored.record;
      if (content.kind === 'revocation') this.#applied.add(Number(content.published.revocationId));
      this.#lanes.take(at, { offset: BigInt(offset), timestamp: stored.at }, stored.record);
      this.#settle();
    }
  }

  /** Sent and answered in one step; what was revoked in this step was not before it. */
  renew(): void {
    this.#barriers += 1;
    const awaited = this.#lanes?.stream;
    if (awaited?.streamId === this.#stream.streamId && awaited.lanes === this.#stream.lanes) {
      this.#lanes?.await(BigInt(this.#barriers), { monotonic: this.now, wall: this.now }, this.now - MARGIN);
      this.#settle();
    }
  }

  #settle(): void {
    const renewal = this.#lanes?.renewed();
    if (renewal === undefined) return;
    this.leases += 1;
    const from = renewal.reading.monotonic;
    const missing = this.revocations.findIndex(
      (at, id) => at < from && at > this.now - TOKEN_LIFE && !this.#applied.has(id),
    );
    if (missing >= 0)
      this.violation ??= `a lease from step ${from} at step ${this.now}, without the revocation of step ${this.revocations[missing]}`;
  }
}
