import type { Clocks } from './clocks.js';
import type { Diagnostic, DiagnosticKind } from './curfew.types.js';

/** Failures of one kind are told at most this often. */
const QUIET_MS = 1000;

/** Tells operators what changed. Never throws and never waits. */
export interface Diagnostics {
  /** Why something failed the last time. */
  lastFailure(): string;
  failed(kind: DiagnosticKind, failure: unknown): void;
  /** The node may decide from its memory now, or a verification found that it may not. Told when that changes. */
  fresh(now: boolean): void;
  /** Whether the deny-list is complete. Told when that changes. */
  trusted(now: boolean): void;
}

export function diagnostics(
  clocks: Clocks,
  listener: ((diagnostic: Diagnostic) => unknown) | undefined,
): Diagnostics {
  const toldAt = new Map<DiagnosticKind, number>();
  let lastFailure = 'no answer';

  const tell = async (kind: DiagnosticKind, message: string): Promise<void> => {
    try {
      // Later and apart: what it throws, rejects with or does must not reach a decision.
      await Promise.resolve();
      await listener?.({ kind, message });
    } catch {
      // The listener's own affair.
    }
  };

  const onChange =
    (state: boolean, yes: DiagnosticKind, no: DiagnosticKind, message: string) =>
    (now: boolean): void => {
      if (now !== state) void tell(now ? yes : no, message);
      state = now;
    };

  return {
    lastFailure: () => lastFailure,
    failed: (kind, failure) => {
      lastFailure = typeof failure === 'string' ? failure : (failure as Error).message;
      const now = clocks.monotonic();
      if (now - (toldAt.get(kind) ?? -Infinity) < QUIET_MS) return;
      toldAt.set(kind, now);
      void tell(kind, lastFailure);
    },
    fresh: onChange(false, 'fresh', 'stale', 'lease'),
    trusted: onChange(true, 'deny-list-recovered', 'deny-list-full', 'maxRevocations'),
  };
}
