/** End of the year 9999. */
const MAX_MS = 253_402_300_799_999;
/** March 1973. A smaller number is one of seconds, in which this service tells its other times, and not what was meant. */
const MIN_MS = 100_000_000_000;

/** RFC 3339 §5.6. In a query a `+` stands for a space, so one in its place is an offset's sign, too. */
const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+\- ])(\d\d):(\d\d))$/;

function fromRfc3339(text: string): number | undefined {
  const parts = RFC_3339.exec(text);
  if (!parts) return undefined;
  const part = (index: number) => Number(parts[index] ?? 0);
  const [year, month, day, hours, minutes, seconds] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const fraction = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  // A day that the month does not have would roll over into the next.
  const exists = local.getUTCMonth() === month - 1 && local.getUTCDate() === day;
  if (!exists || hours > 23 || minutes > 59 || seconds > 59 || part(9) > 23 || part(10) > 59)
    return undefined;
  const offset = (part(9) * 60 + part(10)) * 60_000 * (parts[8] === '-' ? -1 : 1);
  return local.setUTCHours(hours, minutes, seconds, fraction) - offset;
}

/**
 * An instant in milliseconds since the epoch, from its text: RFC 3339, or the milliseconds themselves. Fractions are cut to
 * milliseconds.
 * @returns undefined for what is neither
 */
export function instantOf(text: string): number | undefined {
  const isNumber = /^\d{1,15}$/.test(text);
  const ms = isNumber ? Number(text) : fromRfc3339(text);
  if (ms === undefined || ms < (isNumber ? MIN_MS : 0) || ms > MAX_MS) return undefined;
  return ms;
}
