import type { AccessTokenClaims } from '#contracts';

/** Clocks of instances differ, and a node's reference time may be behind. Not above the deny-list's margin. */
const FUTURE_MS = 60_000;
const MAX_UINT32 = 0xffff_ffff;
const MAX_INT31 = 0x7fff_ffff;

export interface ParsedToken {
  readonly kid: string;
  /** Whatever the header says. */
  readonly alg: unknown;
  readonly payload: Record<string, unknown>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

export interface ExpectedClaims {
  readonly issuer: string;
  readonly audience: string;
  readonly tenant: string;
}

/** Base64url in its one canonical form, or undefined: Node's decoder also takes what is none. */
function decode(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url');
  return bytes.toString('base64url') === segment ? bytes : undefined;
}

/** What is JSON but no object has none of the members that are asked for. */
export function decodeJson(segment: string): Record<string, unknown> | undefined {
  const bytes = decode(segment);
  try {
    return bytes && ((JSON.parse(bytes.toString()) ?? {}) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

// The header that came last: nearly all tokens have the same one, letter by letter.
let lastSegment = '';
let lastHeader: Record<string, unknown> | undefined;

function headerOf(segment: string): Record<string, unknown> | undefined {
  if (segment !== lastSegment) lastHeader = decodeJson((lastSegment = segment));
  return lastHeader;
}

/** Takes a compact JWS of the RFC 9068 profile apart; undefined if it is none. Says nothing about its signature. */
export function parseToken(token: string): ParsedToken | undefined {
  const first = token.indexOf('.');
  const last = token.indexOf('.', first + 1);
  if (first < 0 || last < 0) return undefined;
  const header = headerOf(token.slice(0, first));
  // Extensions that must be understood are not (RFC 7515 §4.1.11); `jku`, `x5u`, `jwk` are never read.
  if (!header || header['typ'] !== 'at+jwt' || 'crit' in header) return undefined;
  const { kid, alg } = header;
  const payload = decodeJson(token.slice(first + 1, last));
  const signature = decode(token.slice(last + 1));
  if (typeof kid !== 'string' || !payload || !signature) return undefined;
  return { kid, alg, payload, signature, signed: Buffer.from(token.slice(0, last), 'latin1') };
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isCount = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
/** One for each scope (DESIGN §5). */
const isEpochs = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 4 && value.every((epoch) => isCount(epoch, MAX_UINT32));

/**
 * The claims if they are complete and meant for here, else undefined. `cnf` is refused: a token bound to a key is no bearer
 * token, and the proof is not checked.
 */
export function checkClaims(
  claims: Record<string, unknown>,
  expected: ExpectedClaims,
): AccessTokenClaims | undefined {
  const { iss, aud, tenant, exp, iat, gen, ep } = claims;
  const good =
    iss === expected.issuer &&
    aud === expected.audience &&
    (tenant === expected.tenant || (expected.tenant === '*' && typeof tenant === 'string')) &&
    ['sub', 'sid', 'client_id', 'jti'].every((name) => isText(claims[name])) &&
    isCount(exp, MAX_UINT32) &&
    isCount(iat, exp) &&
    isCount(gen, MAX_INT31) &&
    (ep === undefined || isEpochs(ep)) &&
    !('cnf' in claims);
  return good ? (claims as unknown as AccessTokenClaims) : undefined;
}

/** Whether the token lives at reference time `now` and was not issued for longer than tokens are. Milliseconds. */
export function isTimely(claims: AccessTokenClaims, now: number, maxAccessTtl: number): boolean {
  return (
    claims.exp * 1000 > now &&
    claims.iat * 1000 <= now + FUTURE_MS &&
    (claims.exp - claims.iat) * 1000 <= maxAccessTtl
  );
}
