import type { HistoryEvent, SecurityFeedEntry } from '#application';
import type { SessionInfo } from '#contracts';

/** A session as `curfew.v1.Session`. */
export const toSessionMessage = ({ status, ...session }: SessionInfo): object => ({
  ...session,
  status: `SESSION_STATUS_${status.toUpperCase()}`,
});

/** An entry as `curfew.v1.SecurityFeedEntry`. */
export const toFeedMessage = ({ at, detail, ...entry }: SecurityFeedEntry): object => ({
  ...entry,
  atMs: at,
  detailJson: JSON.stringify(detail),
});

/** An event as `curfew.v1.HistoryEvent`. */
export const toHistoryMessage = ({ recordedAt, actor, data, ...event }: HistoryEvent): object => ({
  ...event,
  recordedAtMs: recordedAt,
  actorKind: actor.kind,
  actorId: actor.id,
  dataJson: JSON.stringify(data),
});
