import type { NodeReport, NodeReportStore } from '#application';

/** A store that instances share, and what was written to it. */
export class MemoryNodeReports implements NodeReportStore {
  readonly rows = new Map<string, NodeReport>();
  readonly writes: (readonly NodeReport[])[] = [];
  readonly pruned: number[] = [];
  reads = 0;
  failing = false;

  write(reports: readonly NodeReport[]): Promise<void> {
    if (this.failing) return Promise.reject(new Error('no store'));
    this.writes.push(reports);
    for (const report of reports) {
      const key = JSON.stringify([report.tenants, report.nodeId]);
      const known = this.rows.get(key);
      if (!known || report.reportedAt >= known.reportedAt) this.rows.set(key, report);
    }
    return Promise.resolve();
  }

  read(since: number): Promise<readonly NodeReport[]> {
    this.reads++;
    if (this.failing) return Promise.reject(new Error('no store'));
    return Promise.resolve([...this.rows.values()].filter(({ reportedAt }) => reportedAt >= since));
  }

  prune(before: number): Promise<void> {
    this.pruned.push(before);
    return Promise.resolve();
  }
}
