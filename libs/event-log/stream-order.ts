/**
 * Keeps appends to the same stream in the order in which they came: one is ready when none that came before it touches one
 * of its streams any more. Cost: constant per append and stream.
 */
export class StreamOrder<T extends { readonly streams: readonly string[] }> {
  private readonly lines = new Map<string, T[]>();
  private readonly blockedBy = new Map<T, number>();
  private ready: T[] = [];

  add(item: T): void {
    let blockers = 0;
    for (const stream of item.streams) {
      const line = this.lines.get(stream);
      if (line === undefined) this.lines.set(stream, [item]);
      else {
        line.push(item);
        blockers += 1;
      }
    }
    if (blockers === 0) this.ready.push(item);
    else this.blockedBy.set(item, blockers);
  }

  get readyCount(): number {
    return this.ready.length;
  }

  /** Takes ready items, oldest first, for as long as `fits` agrees. They block their streams until `done`. */
  take(fits: (item: T) => boolean): T[] {
    let end = this.ready.findIndex((item) => !fits(item));
    if (end === -1) end = this.ready.length;
    return this.ready.splice(0, end);
  }

  done(item: T): void {
    for (const stream of item.streams) {
      const line = this.lines.get(stream)!;
      line.shift();
      const next = line[0];
      if (next === undefined) this.lines.delete(stream);
      else this.unblock(next);
    }
  }

  private unblock(item: T): void {
    const blockers = this.blockedBy.get(item)! - 1;
    if (blockers > 0) {
      this.blockedBy.set(item, blockers);
      return;
    }
    this.blockedBy.delete(item);
    this.ready.push(item);
  }
}
