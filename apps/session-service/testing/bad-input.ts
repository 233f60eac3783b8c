import fc from 'fast-check';

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const looksValid = fc.constantFrom(
  '{"sub":"u"}',
  '{"sub":"u","sub":"v"}',
  '{"refreshToken":"cfr_AAAA"}',
  '{"name":"n","scopes":["admin"]}',
  '{"scope":"user","sub":"u","except":[]}',
  '{"scope":"client","client":"c"}',
  'token=x.y.z',
);

/** Bodies: JSON values, text that was JSON until something happened to it, bytes of any kind. */
export const anyBody: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.json({ maxDepth: 4, stringUnit: 'binary' }),
  looksValid,
  fc
    .tuple(looksValid, fc.nat(30), anyText)
    .map(([text, at, patch]) => text.slice(0, at) + patch + text.slice(at + patch.length)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(100_000).map((length) => `{"sub":"${'x'.repeat(length)}"}`),
  fc.nat(20_000).map((depth) => '['.repeat(depth)),
);

export const anyContentType = fc.oneof(
  fc.constantFrom(
    'application/json',
    'application/json; charset=utf-16',
    'APPLICATION/JSON',
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/problem+json',
    ';',
    '',
  ),
  fc.string({ maxLength: 30 }),
);

/** Header values as Node's client lets them through: visible ASCII, spaces, and bytes above. */
export const anyHeaderValue = fc.oneof(
  fc.constantFrom('', '""', '"', 'k'.repeat(22), 'k'.repeat(300), `"${'k'.repeat(30)}"`, '"\\x"'),
  fc.string({ maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 40 })
    .map((bytes) => String.fromCharCode(...bytes)),
);

/** What stands in a path or a query where an id is expected. */
export const anySegment = fc.oneof(
  fc.constantFrom(
    '%00',
    '%ff',
    '%',
    '..',
    '%2e%2e',
    '%2F',
    'x'.repeat(5_000),
    '0'.repeat(32),
    '%F0%9F%92%9A',
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map(encodeURIComponent),
  fc.string({ maxLength: 20 }).map((text) => text.replace(/[\s?#]/g, '_')),
);

/** Instants as a query has them, and what looks like one. */
export const anyInstant = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => encodeURIComponent(date.toISOString())),
  fc.integer({ min: -1, max: 10 ** 15 }).map(String),
  fc
    .tuple(fc.constant('2026-02-28T23:59:59.123456789%2B23:59'), fc.nat(30), fc.string({ maxLength: 2 }))
    .map(([text, at, patch]) => text.slice(0, at) + encodeURIComponent(patch) + text.slice(at)),
);
