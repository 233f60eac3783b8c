import type { RevocationMessage } from '../vocabulary.js';

/** Names of the topics unless set otherwise (DESIGN §7). */
export const REVOCATIONS_TOPIC = 'curfew.revocations.v1';
export const SESSION_EVENTS_TOPIC = 'curfew.session-events.v1';

export const REVOCATION_TYPE = 'curfew.revocation';
export const HEARTBEAT_TYPE = 'curfew.heartbeat';

/** Where a record stands: what lets a node notice every loss. */
export interface LanePlace {
  /** Names one life of the topic. */
  readonly streamId: string;
  readonly lanes: number;
  /** Of the relay that wrote it; each leadership has a higher one. */
  readonly incarnation: number;
  /** Contiguous within a lane and an incarnation, from 1. */
  readonly sequence: number;
}

/** Stands behind every revocation that the read of its barrier showed; there is one on each lane. */
export interface Heartbeat {
  /** Decimal text of a 64-bit integer. Written by the relay itself. */
  readonly barrier: string;
  /** Opaque; what a node reports as applied. */
  readonly cursor: string;
  /** Reference time of the barrier, milliseconds since the epoch. */
  readonly referenceTimeMs: number;
  readonly maxAccessTtlMs: number;
}

export interface PublishedRevocation {
  readonly revocation: RevocationMessage;
  /** For the receipt; of a session its sid. */
  readonly revocationId: string;
  /** Reference time, milliseconds: from then on no token can be accepted that this revocation concerns. */
  readonly appliesUntil: number;
}

export type LaneContent =
  | { readonly kind: 'revocation'; readonly published: PublishedRevocation }
  | { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat }
  /** Of a type that this version does not know: its sequence counts, nothing else. */
  | { readonly kind: 'unknown'; readonly type: string };

export interface LaneRecord {
  readonly place: LanePlace;
  readonly content: LaneContent;
}

/** What goes to the broker; `kafkajs` takes it as it is. */
export interface EncodedRecord {
  readonly key: string | null;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** CreateTime, milliseconds as text: reference time, so that offsets can be looked up by it. */
  readonly timestamp: string;
}

/** Key of a revocation's record. Injective: the length says where the tenant ends. */
export const laneKey = ({ tenant, ...revocation }: RevocationMessage): string =>
  `${tenant.length}:${tenant}${revocation.sub}`;

const headersOf = (place: LanePlace, source: string, type: string, id: string, time: number) => ({
  'content-type': 'application/json',
  ce_specversion: '1.0',
  ce_id: id,
  ce_source: source,
  ce_type: type,
  ce_time: new Date(time).toISOString(),
  ce_stream: place.streamId,
  ce_lanes: String(place.lanes),
  ce_incarnation: String(place.incarnation),
  ce_sequence: String(place.sequence),
});

/**
 * CloudEvents 1.0, Kafka binary mode (docs/reference/revocation-stream.md).
 * @param lane part of a heartbeat's id
 * @param source `ce_source`: a URI reference of the installation
 * @param timestamp reference time of the read that showed it, milliseconds
 */
export function encodeLaneRecord(
  place: LanePlace,
  content: Exclude<LaneContent, { kind: 'unknown' }>,
  { lane, source, timestamp }: { lane: number; source: string; timestamp: number },
): EncodedRecord {
  const time = Math.floor(timestamp);
  if (content.kind === 'heartbeat') {
    const id = `${place.incarnation}-${lane}-${place.sequence}`;
    return {
      key: null,
      value: JSON.stringify(content.heartbeat),
      headers: headersOf(place, source, HEARTBEAT_TYPE, id, time),
      timestamp: String(time),
    };
  }
  const { revocation, revocationId, appliesUntil } = content.published;
  return {
    key: laneKey(revocation),
    value: JSON.stringify({ ...revocation, revocationId, appliesUntil }),
    headers: headersOf(place, source, REVOCATION_TYPE, revocationId, time),
    timestamp: String(time),
  };
}

type RawHeaders = Readonly<Record<string, string | Buffer | (string | Buffer)[] | undefined>>;

function text(headers: RawHeaders, name: string): string {
  const value = headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  if (first === undefined) throw new RangeError(`no header ${name}`);
  return first.toString();
}

function count(headers: RawHeaders, name: string): number {
  const value = Number(text(headers, name));
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`header ${name} is no count`);
  return value;
}

/**
 * @throws RangeError or SyntaxError for what is no record of the stream: whoever reads it has lost something and must not
 *   count on the lane.
 */
export function decodeLaneRecord(headers: RawHeaders, value: string | Buffer | null): LaneRecord {
  const place: LanePlace = {
    streamId: text(headers, 'ce_stream'),
    lanes: count(headers, 'ce_lanes'),
    incarnation: count(headers, 'ce_incarnation'),
    sequence: count(headers, 'ce_sequence'),
  };
  const type = text(headers, 'ce_type');
  if (type !== HEARTBEAT_TYPE && type !== REVOCATION_TYPE)
    return { place, content: { kind: 'unknown', type } };
  const data = JSON.parse(value?.toString() ?? '') as Readonly<Record<string, unknown>> | null;
  if (data === null || typeof data !== 'object') throw new RangeError('no data');
  return { place, content: type === HEARTBEAT_TYPE ? heartbeat(data) : revocation(data) };
}

function heartbeat(data: Readonly<Record<string, unknown>>): LaneContent {
  const { barrier, cursor, referenceTimeMs, maxAccessTtlMs } = data;
  const isWhole = typeof barrier === 'string' && /^\d{1,20}$/.test(barrier) && typeof cursor === 'string';
  if (!isWhole || !Number.isSafeInteger(referenceTimeMs) || !Number.isSafeInteger(maxAccessTtlMs))
    throw new RangeError('no heartbeat');
  return { kind: 'heartbeat', heartbeat: data as unknown as Heartbeat };
}

function revocation({ revocationId, appliesUntil, ...rest }: Readonly<Record<string, unknown>>): LaneContent {
  if (typeof rest['scope'] !== 'string' || typeof revocationId !== 'string')
    throw new RangeError('no revocation');
  return {
    kind: 'revocation',
    published: {
      revocation: rest as unknown as RevocationMessage,
      revocationId,
      appliesUntil: Number(appliesUntil),
    },
  };
}
