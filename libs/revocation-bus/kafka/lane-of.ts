const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The lane of a record's key: FNV-1a (32 bits) over its UTF-8 bytes, modulo the lanes. Stable: what has one key stays in order. */
export function laneOf(key: string, lanes: number): number {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash % lanes;
}
