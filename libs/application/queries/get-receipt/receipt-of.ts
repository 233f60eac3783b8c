import type { NodeState, Receipt, RevocationMessage } from '#contracts';
import type { NodeReport } from '../../ports/node-reports.port.js';
import type { RecentRevocation } from '../../ports/recent-revocations.port.js';

/** The least silence that means anything: reports are written every 2.5 s. */
const LEAST_SILENCE_MS = 5_000;
/** How old the newest written report of a node that is there may be. */
const REPORT_MARGIN_MS = 3_000;
/** Of a node that does not say: the longest that the SDK takes. */
const LONGEST_BOUND_MS = 60_000;

const EVERY_TENANT = '*';

/** How long after its last report no node with this bound can hold a lease. */
const silenceOf = (report: NodeReport): number =>
  Math.max(boundOf(report) + REPORT_MARGIN_MS, LEAST_SILENCE_MS);

const boundOf = ({ boundMs }: NodeReport): number => (boundMs > 0 ? boundMs : LONGEST_BOUND_MS);

/** Whether a node hears of the revocation at all. */
export const concerns = ({ scope, tenant }: RevocationMessage, { tenants }: Pick<NodeReport, 'tenants'>) =>
  scope === 'global' || tenants.includes(EVERY_TENANT) || tenants.includes(tenant);

export const revocationIdOf = (message: RevocationMessage): string =>
  message.scope === 'session' ? message.sid : message.revocationId;

export interface Look {
  /** Reference time, milliseconds. */
  readonly now: number;
  readonly reports: readonly NodeReport[];
  readonly shows: (cursor: string, mark: string) => boolean;
}

/**
 * The receipt as of one look. A node is *bounded* only if both hold: it is silent by reference time, and its bound has
 * passed on this process's monotonic clock since the revocation was known here. The second alone makes it true (G2): no
 * lease that is older than the append lasts longer, whatever clock jumped and whichever report was lost. The first keeps
 * nodes that are there from being called so. Nodes that had been silent for longer than that before it was recorded are gone
 * and left out.
 */
export function receiptOf(revocation: RecentRevocation, { now, reports, shows }: Look): Receipt {
  const { message, mark, recordedAt } = revocation;
  const knownForMs = revocation.knownForMs();
  // Nodes share cursors: one question for each.
  const answers = new Map<string, boolean>();
  const hasApplied = (cursor: string): boolean => {
    let answer = answers.get(cursor);
    if (answer === undefined) answers.set(cursor, (answer = cursor !== '' && shows(cursor, mark)));
    return answer;
  };
  const stateOf = (report: NodeReport): NodeState => {
    if (hasApplied(report.cursor)) return 'applied';
    const isSilent = now - report.reportedAt > silenceOf(report);
    return isSilent && knownForMs >= boundOf(report) ? 'bounded' : 'outstanding';
  };
  // Of a node that is heard here no clock is asked: one that jumped must not make it look gone, and the receipt complete.
  const wasGone = ({ silentForMs, ...report }: NodeReport): boolean =>
    (silentForMs === undefined ? recordedAt - report.reportedAt : silentForMs - knownForMs) >
    silenceOf(report);
  const nodes = reports
    .filter((report) => concerns(message, report) && !wasGone(report))
    .map((report) => ({
      nodeId: report.nodeId,
      state: stateOf(report),
      via: report.via,
      boundMs: report.boundMs,
      lastReportMs: report.reportedAt,
    }))
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  return {
    id: revocationIdOf(message),
    scope: message.scope,
    position: message.position,
    recordedAtMs: recordedAt,
    complete: nodes.every(({ state }) => state !== 'outstanding'),
    nodes,
  };
}
