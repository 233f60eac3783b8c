import type { FollowedRevocations, RevocationListener } from '../followed-revocations.js';
import { RevocationMemory } from '../revocation-memory.js';

/** A follower without a log: revocations are put in by hand, and a barrier is answered when it is asked for. */
export class HandFollower implements FollowedRevocations {
  readonly memory = new RevocationMemory(60_000);
  private readonly listeners = new Set<RevocationListener>();
  private barriers = 0n;

  listen(listener: RevocationListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  revoke(...sids: string[]): void {
    for (const sid of sids) {
      const facts = { tenant: 't', sub: 'u'.repeat(100), reason: 'user', initiator: 'user' } as const;
      this.memory.add({ scope: 'session', sid, position: sid, ...facts });
    }
    for (const listener of this.listeners) listener.revoked();
  }

  requestBarrier(): void {
    setImmediate(() => {
      for (const listener of this.listeners) listener.barrierBegins?.();
      const barrier = { n: ++this.barriers, cursor: String(this.memory.end), referenceTime: Date.now() };
      for (const listener of this.listeners) listener.barrierAnswered?.(barrier);
    });
  }
}
