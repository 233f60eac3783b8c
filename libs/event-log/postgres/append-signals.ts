import { DedicatedConnection } from '#platform';

export type Signal = 'appended' | 'revoked';

const CHANNEL: Readonly<Record<Signal, string>> = { appended: 'curfew_appended', revoked: 'curfew_revoked' };
const SIGNAL_OF = new Map(Object.entries(CHANNEL).map(([signal, channel]) => [channel, signal as Signal]));

/** A NOTIFY serialises commits for a moment, so many appends share one. */
const NOTIFY_SPACING_MS = 10;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

/**
 * Tells listeners in this process and in others that something was appended: a hint, which may be lost (poll as well). Over
 * one connection of its own, with LISTEN and NOTIFY, never in the append's transaction. Connects when it is first used, and
 * again whenever the connection was lost; then it wakes everybody.
 */
export class AppendSignals {
  private readonly connection: DedicatedConnection;
  private readonly listeners: Readonly<Record<Signal, Set<() => void>>> = {
    appended: new Set(),
    revoked: new Set(),
  };
  private readonly unsent = new Set<Signal>();
  private sendTimer: NodeJS.Timeout | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private sentAt = -Infinity;
  private connecting = false;
  private connected = false;
  private closed = false;

  constructor(url: string) {
    this.connection = new DedicatedConnection(url, {
      applicationName: 'curfew-signals',
      statementTimeoutMs: 1_000,
      onConnect: async (client) => {
        client.on('notification', ({ channel, processId }) => {
          // What this process sent it has told its own listeners already.
          if (processId !== this.connection.backendPid) this.wake(SIGNAL_OF.get(channel));
        });
        await client.query(
          Object.values(CHANNEL)
            .map((channel) => `listen ${channel}`)
            .join(';'),
        );
      },
      onLost: () => this.lost(),
    });
  }

  /** Returns a stop. */
  on(signal: Signal, wake: () => void): () => void {
    // An object of its own for each call: one function may listen twice.
    const listener = (): void => wake();
    this.listeners[signal].add(listener);
    void this.connect();
    return () => this.listeners[signal].delete(listener);
  }

  /** Wakes this process's listeners now and the others' within 10 ms. */
  announce(signals: readonly Signal[]): void {
    for (const signal of signals) {
      this.wake(signal);
      this.unsent.add(signal);
    }
    if (this.sendTimer !== undefined || this.closed) return;
    const wait = Math.max(0, this.sentAt + NOTIFY_SPACING_MS - performance.now());
    this.sendTimer = setTimeout(() => void this.send(), wait);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.sendTimer);
    clearTimeout(this.retryTimer);
    await this.connection.close();
  }

  private wake(signal: Signal | undefined): void {
    if (signal !== undefined) for (const listener of this.listeners[signal]) listener();
  }

  private async send(): Promise<void> {
    const text = [...this.unsent].map((signal) => `notify ${CHANNEL[signal]}`).join(';');
    this.unsent.clear();
    this.sentAt = performance.now();
    try {
      await this.connect();
      if (this.connected) await this.connection.query({ text });
    } catch {
      // The listeners poll.
    } finally {
      this.sendTimer = undefined;
      if (this.unsent.size > 0) this.announce([]);
    }
  }

  private async connect(): Promise<void> {
    if (this.connected || this.connecting || this.closed) return;
    this.connecting = true;
    try {
      await this.connection.connect();
      this.connected = true;
      this.retryMs = FIRST_RETRY_MS;
      // What was announced while nobody listened is lost.
      this.wake('appended');
      this.wake('revoked');
    } catch {
      this.retry();
    } finally {
      this.connecting = false;
    }
  }

  private lost(): void {
    this.connected = false;
    this.retry();
  }

  private retry(): void {
    clearTimeout(this.retryTimer);
    if (this.closed) return;
    this.retryTimer = setTimeout(() => void this.connect(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }
}
