/** What has been opened, to be closed in the opposite order: by a stop, or by a start that fails half-way. */
export class UndoList {
  private readonly steps: (() => Promise<unknown> | void)[] = [];

  add(step: () => Promise<unknown> | void): void {
    this.steps.push(step);
  }

  /** Every step is tried, whatever the others do. @returns what went wrong */
  async run(): Promise<readonly unknown[]> {
    const failures: unknown[] = [];
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}
