import { elapsed, type Reading } from './process-clock.js';
import type { Rules } from './rules.js';

/** A node's lease, as the model drives it. The SDK's own class is plugged in through this. */
export interface NodeLease {
  /** A new stream: what the old one was asked is void. The lease itself runs on. */
  connected(): void;
  /** m0 is noted, then the renewal goes out. */
  sent(id: number, now: Reading): void;
  answered(id: number, now: Reading): void;
  isFresh(now: Reading): boolean;
}

export type LeaseFactory = (bound: number, rules: Rules) => NodeLease;

export interface LeaseMemory {
  pending: { id: number; m0: Reading }[];
  start: Reading | null;
}

/** The lease of DESIGN §6 in its plainest form. What it knows is plain data, so that the exhaustive search can copy it. */
export class ModelLease implements NodeLease {
  constructor(
    private readonly bound: number,
    private readonly rules: Rules,
    private readonly memory: LeaseMemory = { pending: [], start: null },
  ) {}

  toJSON(): LeaseMemory {
    return this.memory;
  }

  connected(): void {
    this.memory.pending = [];
  }

  sent(id: number, now: Reading): void {
    this.memory.pending.push({ id, m0: now });
  }

  answered(id: number, now: Reading): void {
    const asked = this.memory.pending.find((one) => one.id === id);
    if (asked === undefined) return;
    this.memory.start = this.startOf(asked.m0, now);
    this.memory.pending = this.memory.pending.filter((one) => one.id > id);
  }

  isFresh(now: Reading): boolean {
    return this.memory.start !== null && elapsed(this.rules.elapsed, this.memory.start, now) < this.bound;
  }

  private startOf(m0: Reading, now: Reading): Reading {
    switch (this.rules.leaseFrom) {
      case 'm0-of-the-id':
        return m0;
      case 'latest-m0':
        return this.memory.pending.at(-1)?.m0 ?? m0;
      case 'receipt':
        return now;
    }
  }
}
