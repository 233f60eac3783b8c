import {
  createHash,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
  verify as verifySignature,
} from 'node:crypto';
import { createCurfew, type Curfew } from '#sdk';
import { AUDIENCE, ISSUER } from './environment.js';
import type { BenchResult, Figure } from './measure.js';
import { startStubService } from './stub-service.js';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const MEASURED_MS = 1_500;
const REPEATS = 3;
/** The lease is renewed on this very thread: let it. */
const YIELD_EVERY_MS = 100;

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KID = 'bench-key';

/** Tokens as bytes, so that each use makes a fresh string, as a request does. */
class Tokens {
  private readonly bytes: Buffer;
  private readonly size: number;

  constructor(readonly count: number) {
    const first = newToken();
    this.size = first.length;
    this.bytes = Buffer.alloc(count * this.size);
    for (let index = 0; index < count; index += 1) this.bytes.write(newToken(), index * this.size, 'latin1');
  }
  at(index: number): string {
    return this.bytes.toString('latin1', index * this.size, (index + 1) * this.size);
  }
  get bytesEach(): number {
    return this.size;
  }
}

const HEADER = Buffer.from(JSON.stringify({ alg: 'ES256', kid: KID, typ: 'at+jwt' })).toString('base64url');
const NOW = Math.floor(Date.now() / 1_000);

function newToken(): string {
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: randomBytes(12).toString('hex'),
    client_id: 'default',
    jti: randomBytes(16).toString('hex'),
    sid: randomBytes(16).toString('hex'),
    gen: 0,
    iat: NOW,
    exp: NOW + 3_600,
    auth_time: NOW,
    tenant: 'default',
    roles: ['member'],
  };
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** Operations per second, the median of some repeats; `operate` is given a running number. */
async function rate(operate: (index: number) => unknown): Promise<number> {
  const rates: number[] = [];
  let index = 0;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    let [busy, done] = [0, 0];
    while (busy < MEASURED_MS / REPEATS) {
      const begun = performance.now();
      while (performance.now() - begun < YIELD_EVERY_MS) {
        for (let batch = 0; batch < 64; batch += 1) await operate((index += 1));
        done += 64;
      }
      busy += performance.now() - begun;
      await new Promise((resolve) => setImmediate(resolve));
    }
    rates.push((done * 1_000) / busy);
  }
  return rates.sort((a, b) => a - b)[Math.floor(REPEATS / 2)] ?? 0;
}

/** Cached and first verification in one thread, beside the bare primitives of the same run. */
export async function verify(): Promise<BenchResult> {
  const service = await startStubService({
    ...publicKey.export({ format: 'jwk' }),
    kid: KID,
    alg: 'ES256',
    use: 'sig',
  });
  // Made first: the thread that signs a million tokens renews no lease.
  const tokens = new Tokens(SIZES.at(-1) ?? 0);
  const node = createCurfew({
    service: service.http,
    watch: service.grpc,
    apiKey: 'cfk_bench',
    issuer: ISSUER,
    audience: AUDIENCE,
    tenant: 'default',
    maxSessions: 2_000_000,
    stalenessBound: 60_000,
  });
  try {
    await node.ready();
    return { bench: 'verify', figures: await measure(node, tokens) };
  } finally {
    await node.close();
    service.stop();
  }
}

async function measure(node: Curfew, tokens: Tokens): Promise<Figure[]> {
  const figures: Figure[] = [];
  let filled = 0;
  let misses = 0;
  let missMs = 0;
  const before = occupied();
  for (const size of SIZES) {
    for (; filled < size; filled += 1) {
      const begun = performance.now();
      await node.verify(tokens.at(filled));
      missMs += performance.now() - begun;
      misses += 1;
      if (filled % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const hits = await rate((index) => node.verify(tokens.at(scattered(index, size))));
    const floor = await floorRate(tokens, size);
    const note = `${(hits / floor).toFixed(2)} of the floor${target(size)}`;
    figures.push({ name: `hit, ${size.toLocaleString('en')} sessions`, value: hits, unit: '/s', note });
    figures.push({
      name: `  floor: Map of 43-byte keys, ${size.toLocaleString('en')}`,
      value: floor,
      unit: '/s',
    });
  }
  const perSession = (occupied() - before) / filled;
  const raw = await rawVerifyRate(tokens);
  const missRate = (misses * 1_000) / missMs;
  const claims = await rate((index) =>
    node.verify(tokens.at(scattered(index, 10_000))).then((session) => session.claims.roles),
  );
  figures.push(
    { name: 'hit and claims read, 10,000 sessions', value: claims, unit: '/s' },
    {
      name: 'miss (first verify of a token)',
      value: missRate,
      unit: '/s',
      note: `${(missRate / raw).toFixed(2)} of the bare check, target ≥ 0.90`,
    },
    { name: '  bare ES256 check of node:crypto', value: raw, unit: '/s' },
    { name: '  bare SHA-256 of a token', value: await hashRate(tokens), unit: '/s' },
    { name: 'memory per cached session', value: perSession, unit: 'B', note: 'target ≤ 300' },
    { name: '  length of a token', value: tokens.bytesEach, unit: 'B' },
  );
  return figures;
}

const target = (size: number): string =>
  size === 10_000 ? ', target ≥ 1,000,000' : size === 1_000_000 ? ', target ≥ 300,000' : '';

/** Spreads accesses over all entries: neighbours in time are not neighbours in memory. */
const scattered = (index: number, size: number): number => (index * 7_919) % size;

function occupied(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The least that a cache could do: a hit in a Map by a 43-byte key, a clock, an expiry and a generation. */
async function floorRate(tokens: Tokens, size: number): Promise<number> {
  const keys = Buffer.alloc(size * 43);
  const map = new Map<string, { exp: number; gen: number }>();
  for (let index = 0; index < size; index += 1) {
    const key = createHash('sha256').update(tokens.at(index)).digest('base64url');
    keys.write(key, index * 43, 'latin1');
    map.set(key, { exp: Number.MAX_SAFE_INTEGER, gen: 0 });
  }
  return rate((index) => {
    const at = scattered(index, size) * 43;
    const entry = map.get(keys.toString('latin1', at, at + 43));
    return entry !== undefined && entry.exp > Date.now() && entry.gen === 0;
  });
}

async function rawVerifyRate(tokens: Tokens): Promise<number> {
  return rate((index) => {
    const token = tokens.at(index % tokens.count);
    const dot = token.lastIndexOf('.');
    return verifySignature(
      'sha256',
      Buffer.from(token.slice(0, dot), 'latin1'),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(token.slice(dot + 1), 'base64url'),
    );
  });
}

const hashRate = (tokens: Tokens): Promise<number> =>
  rate((index) => hash('sha256', tokens.at(scattered(index, 10_000)), 'base64url'));
