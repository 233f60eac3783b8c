/** Runs work that shares a stream one after the other, in the order of the calls. */
export class StreamTurns {
  private readonly last = new Map<string, Promise<void>>();

  async run<T>(streams: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = streams.flatMap((stream) => this.last.get(stream) ?? []);
    let end = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      end = resolve;
    });
    for (const stream of streams) this.last.set(stream, turn);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      for (const stream of streams) if (this.last.get(stream) === turn) this.last.delete(stream);
      end();
    }
  }
}
