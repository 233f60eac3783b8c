/** A bounded map: an entry leaves some time after it was set, or when it is the least recently used of too many. */
export class ExpiringCache<V> {
  private readonly entries = new Map<string, { readonly value: V; readonly until: number }>();

  constructor(
    private readonly options: {
      readonly maxEntries: number;
      /** Milliseconds from `set`; uses do not prolong it. */
      readonly life: number;
      /** Monotonic milliseconds. */
      readonly now: () => number;
    },
  ) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    if (entry.until <= this.options.now()) return undefined;
    // A Map keeps the order of insertion: the first is the least recently used.
    this.entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, { value, until: this.options.now() + this.options.life });
    const [oldest] = this.entries.keys();
    if (this.entries.size > this.options.maxEntries && oldest !== undefined) this.entries.delete(oldest);
  }
}
