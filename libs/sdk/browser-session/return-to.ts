const MAX_LENGTH = 2048;
/** Only its origin matters, and that nobody can be sent there. */
const BASE = 'https://return-to.invalid';

const hasControlCharacter = (text: string): boolean => /\p{Cc}/u.test(text);
const leavesTheOrigin = (path: string): boolean => /^\/[/\\]/.test(path) || path.includes('\\');

/** Whether the path hides a second slash, a backslash or a control character behind one or more layers of %-encoding. */
function hidesTricks(path: string): boolean {
  let decoded = path;
  for (let layer = 0; layer < 4; layer += 1) {
    if (leavesTheOrigin(decoded) || hasControlCharacter(decoded)) return true;
    try {
      const next = decodeURIComponent(decoded);
      if (next === decoded) return false;
      decoded = next;
    } catch {
      return layer === 0; // not %-encoding at all; in a deeper layer, the path merely has a literal %
    }
  }
  return true;
}

/**
 * A path on this origin, safe for `Location`; `/` for everything else: absolute and scheme-relative URLs, backslashes, control
 * characters, those behind %-encoding, dot segments that end in `//`, and paths under `mount` (a refresh that returns to the
 * refresh route would go round).
 */
export function checkedReturnTo(value: string | null | undefined, mount?: string): string {
  if (typeof value !== 'string' || value.length > MAX_LENGTH || !value.startsWith('/')) return '/';
  if (leavesTheOrigin(value.split(/[?#]/, 1)[0] ?? '') || hasControlCharacter(value)) return '/';
  if (!URL.canParse(value, BASE)) return '/';
  const url = new URL(value, BASE);
  if (url.origin !== BASE || hidesTricks(url.pathname)) return '/';
  const path = url.pathname.toLowerCase();
  const own = mount?.toLowerCase();
  if (own !== undefined && (path === own || path.startsWith(`${own}/`))) return '/';
  return url.pathname + url.search + url.hash;
}
