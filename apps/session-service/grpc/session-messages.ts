import type { HistoryEvent, SessionAnswer } from '#application';

/** A session as `curfew.v1.Session`. */
export const toSessionMessage = ({ status, ...session }: SessionAnswer): object => ({
  ...session,
  status: `SESSION_STATUS_${status.toUpperCase()}`,
});

/** An event as `curfew.v1.HistoryEvent`. */
export const toHistoryMessage = ({ recordedAt, actor, data, ...event }: HistoryEvent): object => ({
  ...event,
  recordedAtMs: recordedAt,
  actorKind: actor.kind,
  actorId: actor.id,
  dataJson: JSON.stringify(data),
});
