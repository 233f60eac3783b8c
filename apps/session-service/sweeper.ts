import { Logger } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import { ExpireSessions } from '#application';
import type { MetricSource } from './metrics/metrics.js';

/**
 * Takes one step of the sweep every interval, for as long as the service runs. Several instances may sweep: whoever is second
 * finds nothing to do. A step that fails is taken again at the next interval.
 */
export class Sweeper {
  private readonly logger = new Logger('sweeper');
  private timer: NodeJS.Timeout | undefined;
  private step: Promise<void> = Promise.resolve();
  private next = '';
  private counted = 0;

  /** @param interval milliseconds; 0: never */
  constructor(private readonly interval: number) {}

  start(commands: Pick<CommandBus, 'execute'>): void {
    if (this.interval === 0) return;
    this.timer = setTimeout(() => {
      this.step = this.sweep(commands).finally(() => {
        if (this.timer !== undefined) this.start(commands);
      });
    }, this.interval);
  }

  /** Resolves when no step is under way. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.step;
  }

  readonly metric: MetricSource = {
    name: 'curfew_sweeper_expired_total',
    help: 'Ends of sessions by timeout that the sweeper put on record since the start.',
    type: 'counter',
    collect: () => [{ labels: {}, value: this.counted }],
  };

  private async sweep(commands: Pick<CommandBus, 'execute'>): Promise<void> {
    try {
      const { expired, failed, next } = await commands.execute(new ExpireSessions(this.next));
      this.next = next;
      this.counted += expired;
      if (failed > 0) this.logger.warn(`${failed} sessions could not be ended on record`);
    } catch (error) {
      this.logger.warn(`a step failed: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }
}
