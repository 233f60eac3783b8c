import { Logger } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import { ExpireSessions } from '#application';

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

  constructor(
    private readonly commands: Pick<CommandBus, 'execute'>,
    /** Milliseconds; 0: never. */
    private readonly interval: number,
  ) {}

  start(): void {
    if (this.interval === 0) return;
    this.timer = setTimeout(() => {
      this.step = this.sweep().finally(() => {
        if (this.timer !== undefined) this.start();
      });
    }, this.interval);
  }

  /** Resolves when no step is under way. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.step;
  }

  /** Ends put on record since the start. */
  get expired(): number {
    return this.counted;
  }

  private async sweep(): Promise<void> {
    try {
      const { expired, next } = await this.commands.execute(new ExpireSessions(this.next));
      this.next = next;
      this.counted += expired;
    } catch (error) {
      this.logger.warn(`a step failed: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }
}
