/** A wait that ends with the time, with a ring since the last wait, or with the abort. For one waiter. */
export class Wake {
  private rung = false;
  private end: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.end?.();
  }

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.rung && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          this.end = undefined;
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal?.addEventListener('abort', done);
        this.end = done;
      });
    }
    this.rung = false;
  }
}
