import { CurfewError } from '#contracts';

/**
 * A bound on work under way, shared by API keys. A key takes no more than three times what is free: alone it gets three
 * quarters of the places, beside another greedy one three sevenths, and there is always room for one that comes new.
 */
export class SharedPlaces {
  private free: number;
  private readonly heldBy = new Map<string, number>();

  constructor(places: number) {
    this.free = places;
  }

  /** @throws CurfewError ERR_OVERLOADED at once if the key has its share; nobody waits for a place. */
  async run<T>(keyId: string, work: () => Promise<T>): Promise<T> {
    if (this.held(keyId) >= 3 * this.free)
      throw new CurfewError('ERR_OVERLOADED', { retryAfter: 1 + Math.floor(Math.random() * 3) });
    this.take(keyId, 1);
    try {
      return await work();
    } finally {
      this.take(keyId, -1);
    }
  }

  private held(keyId: string): number {
    return this.heldBy.get(keyId) ?? 0;
  }

  private take(keyId: string, places: 1 | -1): void {
    this.free -= places;
    const held = this.held(keyId) + places;
    if (held === 0) this.heldBy.delete(keyId);
    else this.heldBy.set(keyId, held);
  }
}
