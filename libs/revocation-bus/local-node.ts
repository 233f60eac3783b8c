import type { NodeReport } from '#application';

interface Taken {
  readonly report: NodeReport;
  /** It could not be written. */
  readonly giveBack: () => void;
}

/** A node that reports to this instance: what it said last, and what of it is written. */
export class LocalNode {
  report: NodeReport | undefined;
  /** Monotonic, milliseconds. */
  heardAt = -Infinity;
  private written: { readonly report: NodeReport; readonly at: number } | undefined;
  /** Number in the memory up to which the written cursor is known to show everything. */
  private settledUntil = 0;
  /** Something was said that may change a receipt. */
  private matters = false;

  /** @param fleet the tenants of its API key */
  constructor(readonly fleet: string) {}

  get cursor(): string {
    return this.report?.cursor ?? '';
  }

  /** @param end of the memory: the number that the next revocation will get */
  heard(report: NodeReport, at: number, end: number): void {
    this.report = report;
    this.heardAt = at;
    const { written } = this;
    if (!written || isOther(written.report, report)) this.matters = true;
    else if (written.report.cursor !== report.cursor && end > this.settledUntil) this.matters = true;
  }

  isDue(now: number, aliveEveryMs: number): boolean {
    const { report, written } = this;
    if (!report || report === written?.report) return false;
    return this.matters || !written || now - written.at >= aliveEveryMs;
  }

  /** Counts as written from now on. */
  take(at: number, end: number, hasAll: (cursor: string) => boolean): Taken {
    const report = this.report!;
    const before = { written: this.written, settledUntil: this.settledUntil };
    this.written = { report, at };
    if (hasAll(report.cursor)) this.settledUntil = end;
    this.matters = false;
    return {
      report,
      giveBack: () => {
        this.written = before.written;
        this.settledUntil = before.settledUntil;
        this.matters = true;
      },
    };
  }
}

/** Whether the node is not what was written of it: another process of the same name, or a new life of it. */
const isOther = (written: NodeReport, report: NodeReport): boolean =>
  written.boundMs !== report.boundMs ||
  written.via !== report.via ||
  (report.cursor === '') !== (written.cursor === '');
