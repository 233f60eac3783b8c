import { Logger } from '@nestjs/common';
import type { SecurityAlarm, SecurityCount, SecuritySignals } from '#application';

/** Alarms go to the log with the sid, which is a public handle; both kinds are counted. */
export class LoggedSecuritySignals implements SecuritySignals {
  private readonly logger = new Logger('security');
  private readonly counts = new Map<SecurityAlarm | SecurityCount, number>();

  alarm(kind: SecurityAlarm, sid: string): void {
    this.count(kind);
    this.logger.warn(`${kind} (sid ${sid})`);
  }

  count(kind: SecurityAlarm | SecurityCount): void {
    this.counts.set(kind, this.counted(kind) + 1);
  }

  counted(kind: SecurityAlarm | SecurityCount): number {
    return this.counts.get(kind) ?? 0;
  }
}
