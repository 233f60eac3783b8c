import { NoAnswer } from './kurrent-errors.js';

/** What a call may do about its end. */
export interface Patience {
  /** Counts anew: something has come. */
  readonly extend: () => void;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Waits for `work`, and fails with `NoAnswer` when it takes longer than `ms`, counted anew from each `extend`. A call on a
 * half-open connection would never end by itself. What `work` does later is ignored.
 */
export async function within<T>(ms: number, work: (patience: Patience) => Promise<T>): Promise<T> {
  const given = new AbortController();
  let last = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const check = (): void => {
      const left = last + ms - performance.now();
      if (left > 0) timer = setTimeout(check, Math.ceil(left));
      else reject(new NoAnswer(`KurrentDB did not answer within ${ms} ms`));
    };
    timer = setTimeout(check, ms);
  });
  const extend = (): void => {
    last = performance.now();
  };
  const working = work({ extend, signal: given.signal });
  working.catch(() => undefined);
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
    given.abort();
  }
}

/** Ends early when `signal` aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
