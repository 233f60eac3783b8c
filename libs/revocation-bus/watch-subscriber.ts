import type { RevocationCursor } from '#application';
import type { RevocationMessage } from '#contracts';
import type { RevocationCursors } from './followed-revocations.js';
import type { ReportingNode } from './node-registry.js';
import type { RevocationMemory } from './revocation-memory.js';
import type { Timers } from './timers.js';
import type { Renewed, WatchMessage } from './watch-message.js';

/**
 * Why a subscriber was cut: it did not drain, its transport threw, or the instance stops. In each case the node reconnects,
 * here or elsewhere, with the cursor of its last `renewed`.
 */
export type CutReason = 'slow' | 'send-failed' | 'stopping';

export interface WatchSubscriberOptions {
  /** Tenants whose revocations are sent, besides the global ones. `*` stands for all. */
  readonly tenants: readonly string[];
  /** Of the node's last `renewed`. Absent, empty or not of this store: everything in memory is replayed. */
  readonly cursor?: RevocationCursor | undefined;
  /**
   * Hands one message to the transport, which takes it in any case. False: it can take no more until it calls `drained`.
   * Called synchronously, first from within `subscribe`.
   */
  readonly send: (message: WatchMessage) => boolean;
  /** Where the node's reports go; absent: it is in no receipt. */
  readonly node?: ReportingNode;
  /** The hub has cut this subscriber: nothing more is sent. Not called after `close` of the subscription. */
  readonly close: (reason: CutReason) => void;
}

/** What the door holds of its stream. All calls are harmless after the end. */
export interface WatchSubscription {
  /**
   * The node asks for its lease. Answered by a barrier that begins after this call; a newer id replaces a waiting one.
   * @param applied id of the newest renewal whose answer the node has applied in this stream; `0` or absent: none yet
   */
  renew(id: string, applied?: string): void;
  /** The transport can take messages again. */
  drained(): void;
  /** The node has gone. */
  close(): void;
}

interface PendingAnswer {
  readonly renewed: Renewed;
  /** To be sent once every revocation below this number is. */
  readonly behind: number;
}

/** Enough for a slow node to get each in turn; above it, the last one is replaced (the first must not starve). */
const MAX_ANSWERS = 4;

/**
 * Of so many answers that were sent last it is known what they showed. A node names one of the last; a cascading relay, which
 * renews twenty times a second and speaks for all its nodes, one that is a second old.
 */
const MAX_SENT = 64;

/** A place in the memory, and the answers that wait for it to move on. */
export class WatchSubscriber {
  blockedSince: number | undefined;
  ended = false;
  private pumping = false;
  private next: number;
  private readonly replayUntil: number;
  private readonly cursor: RevocationCursor | undefined;
  private readonly tenants: ReadonlySet<string>;
  private readonly answers: PendingAnswer[] = [];
  /** id → cursor, the oldest first. */
  private readonly sent = new Map<string, RevocationCursor>();

  constructor(
    readonly options: WatchSubscriberOptions,
    readonly renewAfterMs: number,
    private readonly memory: RevocationMemory,
    private readonly log: RevocationCursors,
  ) {
    this.tenants = new Set(options.tenants);
    this.next = memory.begin;
    this.replayUntil = memory.end;
    this.cursor = options.cursor && log.isCursor(options.cursor) ? options.cursor : undefined;
  }

  /** How many revocations that came after the subscription have not been looked at yet. */
  get behind(): number {
    return this.memory.end - Math.max(this.next, this.replayUntil);
  }

  /** The node is there, and has applied that answer and all before it. */
  heard(applied: string | undefined): void {
    const { node } = this.options;
    if (!node) return;
    const cursor = applied === undefined ? undefined : this.sent.get(applied);
    node.heard(cursor);
    if (cursor === undefined) return;
    for (const older of this.sent.keys()) {
      if (older === applied) break;
      this.sent.delete(older);
    }
  }

  /** To be sent behind all that is in memory now. */
  answer(renewed: Renewed): void {
    if (this.answers.length === MAX_ANSWERS) this.answers.pop();
    this.answers.push({ renewed, behind: this.memory.end });
  }

  /**
   * Sends until the transport is full, nothing is left, or `budget` revocations were looked at.
   * @returns whether the budget ran out
   * @throws what `send` throws
   */
  pump(budget: number, timers: Pick<Timers, 'monotonic'>): boolean {
    // A transport that drains from within `send` must not get the next message before that call is over.
    if (this.pumping) return false;
    this.pumping = true;
    try {
      for (let looked = 0; looked < budget; looked++) {
        if (this.ended || this.blockedSince !== undefined) return false;
        const message = this.take();
        if (message === undefined) return false;
        if (message !== 'skip' && !this.options.send(message)) this.blockedSince = timers.monotonic();
      }
      return true;
    } finally {
      this.pumping = false;
    }
  }

  private take(): WatchMessage | 'skip' | undefined {
    // What has left the memory concerns no token that could still be accepted.
    this.next = Math.max(this.next, this.memory.begin);
    return this.takeAnswer() ?? (this.next < this.memory.end ? this.takeRevocation() : undefined);
  }

  private takeAnswer(): WatchMessage | undefined {
    const first = this.answers[0];
    if (!first || first.behind > this.next) return undefined;
    this.answers.shift();
    this.note(first.renewed);
    return { renewed: first.renewed };
  }

  private note({ id, cursor }: Renewed): void {
    if (!this.options.node) return;
    this.sent.delete(id);
    this.sent.set(id, cursor);
    if (this.sent.size > MAX_SENT) this.sent.delete(this.sent.keys().next().value!);
  }

  private takeRevocation(): WatchMessage | 'skip' {
    const number = this.next++;
    const { message, mark } = this.memory.at(number);
    if (!this.concerns(message.revocation)) return 'skip';
    const known = number < this.replayUntil && this.cursor !== undefined && this.log.shows(this.cursor, mark);
    return known ? 'skip' : message;
  }

  /** The end of all sessions concerns every tenant. */
  private concerns({ scope, tenant }: RevocationMessage): boolean {
    return scope === 'global' || this.tenants.has('*') || this.tenants.has(tenant);
  }
}
