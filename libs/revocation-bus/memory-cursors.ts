import type { AnsweredBarrier, FollowedRevocations, RevocationCursors } from './followed-revocations.js';

/** At 20 barriers a second those of some eight minutes. A node whose cursor is older gets everything replayed. */
const MAX_CURSORS = 10_000;

/**
 * Cursors of another's making, which only an upstream can read: what one shows is known from where it came, namely behind
 * everything that the memory held by then. So a node resumes here with a cursor that this very process has passed on or could
 * have passed on; for any other everything is replayed, which is harmless.
 */
export class MemoryCursors implements RevocationCursors {
  private readonly shown = new Map<string, number>();

  /** Listens for as long as the follower lives. */
  constructor(follower: FollowedRevocations) {
    follower.listen({
      revoked: () => undefined,
      barrierAnswered: ({ cursor }: AnsweredBarrier) => {
        // The first place counts: what came between two answers of one cursor may have been a replay.
        if (this.shown.has(cursor)) return;
        this.shown.set(cursor, follower.memory.end);
        if (this.shown.size > MAX_CURSORS) this.shown.delete(this.shown.keys().next().value!);
      },
    });
  }

  isCursor(text: string): boolean {
    return this.shown.has(text);
  }

  /** @param mark a number in the memory */
  shows(cursor: string, mark: string): boolean {
    return Number(mark) < (this.shown.get(cursor) ?? 0);
  }
}
