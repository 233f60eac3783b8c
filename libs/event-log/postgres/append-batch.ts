import { ConcurrencyConflict, type Position, type StreamAppend } from '#application';
import type { Batchable, Outcome } from '../group-commit.js';
import { toPosition } from '../position.js';
import { assertWellFormed, storableJson } from '../storable-append.js';

/**
 * Changes of views that are applied in the append's own statement, by `curfew.apply_inline_views`. Event i of an append has
 * the revision `expectedRevision + 1 + i`. Pure.
 */
export type InlineProjection = (appends: readonly StreamAppend[]) => readonly object[];

/** An append as `curfew.append_batch` takes it, in JSON fragments that a batch only has to join. */
export interface EncodedAppend extends Batchable {
  readonly id: number;
  readonly eventCount: number;
  readonly parts: string;
  readonly events: string;
  /** Empty if there are none. */
  readonly views: string;
  readonly viewCount: number;
}

/** What `curfew.append_batch` returns. */
export interface BatchResult {
  readonly tx: string;
  /** Of the accepted events, in the batch's order. */
  readonly positions: readonly number[];
  readonly refused: readonly {
    readonly a: number;
    /** Null unless the append is in the log already. */
    readonly tx: string | null;
    readonly position: string | null;
    readonly stream: string;
    readonly expected: number;
    readonly actual: number;
  }[];
}

const withoutBrackets = (json: string): string => json.slice(1, -1);

/** @param id unlike that of any other append that may share a batch; 31 bits */
export function encodeAppend(
  id: number,
  appends: readonly StreamAppend[],
  projection: InlineProjection,
): EncodedAppend {
  assertWellFormed(appends);
  const parts = appends.map(({ stream, expectedRevision, events }) => ({
    a: id,
    s: stream,
    e: expectedRevision,
    n: events.length,
  }));
  const events = appends.flatMap(({ stream, expectedRevision, events: newEvents }) =>
    newEvents.map((event, i) => ({
      a: id,
      s: stream,
      r: expectedRevision + 1 + i,
      i: event.id,
      t: event.type,
      v: event.schemaVersion,
      d: event.data,
      m: event.metadata,
    })),
  );
  const views = projection(appends);
  const encoded = {
    parts: withoutBrackets(storableJson(parts)),
    events: withoutBrackets(storableJson(events)),
    views: withoutBrackets(storableJson(views)),
  };
  return {
    ...encoded,
    id,
    streams: appends.map(({ stream }) => stream),
    eventCount: events.length,
    viewCount: views.length,
    bytes: encoded.parts.length + encoded.events.length + encoded.views.length,
  };
}

export function encodeBatch(batch: readonly EncodedAppend[]): string {
  const withViews = batch.filter(({ viewCount }) => viewCount > 0);
  const owners = withViews.flatMap(({ id, viewCount }) => Array<number>(viewCount).fill(id));
  return `{"p":[${batch.map(({ parts }) => parts).join()}],"e":[${batch.map(({ events }) => events).join()}],"v":[${withViews.map(({ views }) => views).join()}],"w":[${owners.join()}]}`;
}

/** What became of each append of the batch. */
export function batchOutcomes(batch: readonly EncodedAppend[], result: BatchResult): Outcome<Position>[] {
  const refused = new Map(result.refused.map((refusal) => [refusal.a, refusal]));
  let accepted = 0;
  return batch.map(({ id, eventCount }) => {
    const refusal = refused.get(id);
    if (refusal === undefined) {
      accepted += eventCount;
      return { value: toPosition(result.tx, String(result.positions[accepted - 1])) };
    }
    if (refusal.tx !== null && refusal.position !== null) {
      return { value: toPosition(refusal.tx, refusal.position) };
    }
    return { error: new ConcurrencyConflict(refusal.stream, refusal.expected, refusal.actual) };
  });
}
