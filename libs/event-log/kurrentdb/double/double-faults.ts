/** How a committed append is answered: with an error, or never. */
export type AmbiguousAnswer = 'unavailable' | 'nothing';

/** What the double does wrong, for as long as it is set. Faults of connections are methods of `KurrentDbDouble`. */
export class DoubleFaults {
  /** Milliseconds between the arrival of an append and its commit; asked for each. */
  appendDelayMs: () => number = () => 0;
  /** Milliseconds between a commit and its delivery to subscriptions. */
  deliveryDelayMs = 0;
  /** Subscriptions that begin now deliver this many events again that come before where they begin. */
  deliverAgain = 0;
  /** Every call answers UNAVAILABLE; subscriptions that are open stay. */
  refuse = false;
  /** Subscriptions that begin now are confirmed and deliver nothing, for ever. */
  muteNewSubscriptions = false;
  private ambiguous: AmbiguousAnswer[] = [];
  private lost: AmbiguousAnswer[] = [];

  /** The next `count` appends are committed and answered like this. */
  answerCommittedAppends(answer: AmbiguousAnswer, count = 1): void {
    for (let i = 0; i < count; i += 1) this.ambiguous.push(answer);
  }

  /** The next `count` appends are not committed, and answered like this. */
  loseAppends(answer: AmbiguousAnswer, count = 1): void {
    for (let i = 0; i < count; i += 1) this.lost.push(answer);
  }

  /** Appends that are still to be answered wrongly. */
  get pending(): number {
    return this.ambiguous.length + this.lost.length;
  }

  /** Back to a store that does everything right. */
  clear(): void {
    Object.assign(this, new DoubleFaults());
  }

  nextAmbiguous(): AmbiguousAnswer | undefined {
    return this.ambiguous.shift();
  }

  nextLost(): AmbiguousAnswer | undefined {
    return this.lost.shift();
  }
}
