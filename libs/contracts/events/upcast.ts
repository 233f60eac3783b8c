import { CURRENT_VERSION, isEventType, type EventType } from './event-catalogue.js';

/** As much of a stored event as upcasting needs. */
export interface VersionedEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: Readonly<Record<string, unknown>>;
}

type Data = VersionedEvent['data'];
/** Makes the data of one version into that of the next. Pure; it keeps what it does not know of. */
type Upcaster = (data: Data) => Data;

/** The first one makes version 1 into 2, and so on. */
const UPCASTERS: Partial<Record<EventType, readonly Upcaster[]>> = {
  // Before there were epochs, every scope was at 0.
  'session.created': [(data) => ({ ...data, ep: [0, 0, 0, 0] })],
  // Absent `ep`: the epochs that the session had.
  'session.rotated': [(data) => data],
};

/**
 * A stored event as one of the current version; the very same object if it is one. Cost: a look-up for a current event.
 * @throws Error for an unknown type, a version above the current one, or one that never was: a reader that cannot read an event
 *   must stop, not guess.
 */
export function upcast<E extends VersionedEvent>(event: E): E {
  const { type, schemaVersion } = event;
  if (!isEventType(type)) throw unreadable(event);
  const current: number = CURRENT_VERSION[type];
  if (schemaVersion === current) return event;
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > current)
    throw unreadable(event);
  const steps = UPCASTERS[type]?.slice(schemaVersion - 1) ?? [];
  if (steps.length !== current - schemaVersion) throw new Error(`an upcaster of ${type} is missing`);
  return {
    ...event,
    schemaVersion: current,
    data: steps.reduce((data, step) => step(data), event.data),
  };
}

const unreadable = ({ type, schemaVersion }: VersionedEvent): Error =>
  new Error(`this version of Curfew cannot read the event ${type} v${schemaVersion}`);
