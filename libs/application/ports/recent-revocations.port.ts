import type { RevocationMessage } from '#contracts';

export interface RecentRevocation {
  readonly message: RevocationMessage;
  /** For `NodeReports.shows`. */
  readonly mark: string;
  /** Reference time, milliseconds. */
  readonly recordedAt: number;
  /** For how long it has been known here, milliseconds of this process's monotonic clock: it was committed before. */
  knownForMs(): number;
}

/** The revocations that still matter, from this instance's memory (DESIGN §6). */
export interface RecentRevocations {
  /** @param id of a session its sid, else the revocation id */
  find(id: string): RecentRevocation | undefined;
  /**
   * On return, everything is in here whose call had returned before this one.
   * Errors: `CurfewError('ERR_UNAVAILABLE')`.
   */
  refresh(): Promise<void>;
}
export const RECENT_REVOCATIONS = Symbol('RecentRevocations');
