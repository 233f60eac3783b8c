import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { IssuedSession } from '#sdk';
import { dataFolder, startTestService, type TestService } from '../support/cluster.js';
import { embeddedUrl } from '../support/embedded.js';

/** Personal values that are used here and nowhere else, so that a find is a leak. */
const PERSONAL = {
  name: 'Zerbinettas Fernsprecher',
  userAgent: 'Quixotic-Browser/99.7 (Xylophone OS)',
  ip: '203.0.113.197',
  place: 'Llanfairpwllgwyngyll',
  claim: 'vorname-hildegunst',
  note: 'called about the lost kayak',
};

describe('G6: no secret and no personal value at rest', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  const secrets = new Map<string, string>();

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path);
    await useEverything();
  });
  afterAll(async () => {
    await service.child.stop();
    await folder.remove();
  });

  async function useEverything(): Promise<void> {
    const { name, userAgent, ip, place, claim, note } = PERSONAL;
    const device = { name, userAgent, ip, place };
    const idempotencyKey = 'idempotency-key-of-this-test-0001';
    const { body: created } = await service.rest.call<IssuedSession>(
      'POST',
      '/v1/sessions',
      { sub: 'user-1', device, claims: { secretName: claim } },
      { 'idempotency-key': idempotencyKey },
    );
    const { body: rotated } = await service.rest.call<IssuedSession>(
      'POST',
      '/v1/sessions/refresh',
      { refreshToken: created.refreshToken, device },
      { 'idempotency-key': idempotencyKey },
    );
    const { body: other } = await service.rest.call<IssuedSession>('POST', '/v1/sessions', {
      sub: 'user-1',
      device,
    });
    await service.rest.call('DELETE', `/v1/sessions/${other.sid}`, { reason: 'user', note });
    for (const [index, issued] of [created, rotated, other].entries()) {
      secrets.set(`refresh token ${index}`, issued.refreshToken);
      secrets.set(`access token ${index}`, issued.accessToken ?? 'none');
      secrets.set(`refresh secret ${index}`, secretOf(issued.refreshToken));
    }
    secrets.set('API key', service.key);
    secrets.set('first API key', service.apiKey);
    secrets.set('Idempotency-Key', idempotencyKey);
    secrets.set('master key', readFileSync(join(folder.path, 'master-key'), 'utf8').trim());
    for (const [field, value] of Object.entries(PERSONAL)) secrets.set(`personal: ${field}`, value);
  }

  /** The 32 bytes that are hashed, as text of one byte a character. */
  const secretOf = (refreshToken: string): string =>
    Buffer.from(refreshToken.slice('cfr_'.length), 'base64url').subarray(23, 55).toString('latin1');

  it('finds none of them in any row of any table', async () => {
    const database = new pg.Client({ connectionString: embeddedUrl(folder.path) });
    await database.connect();
    try {
      const { rows: tables } = await database.query<{ name: string }>(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
      );
      expect(tables.length).toBeGreaterThan(5);
      let dump = '';
      for (const { name } of tables) {
        const { rows } = await database.query<{ text: string }>(
          `SELECT to_jsonb(t)::text AS text FROM ${name} t`,
        );
        dump += rows.map(({ text }) => text).join('\n');
      }
      expect(dump).toContain('session.rotated');
      expectNothingIn(Buffer.from(dump), 'the tables');
      for (const [what, value] of secrets) {
        for (const encoding of ['hex', 'base64', 'base64url'] as const) {
          const encoded = Buffer.from(value, 'latin1').toString(encoding).replace(/=+$/, '');
          expect([what, encoding, dump.includes(encoded)]).toEqual([what, encoding, false]);
        }
      }
    } finally {
      await database.end();
    }
  });

  it('finds none of them in the bytes of the data folder: heap, indexes, write-ahead log, server log', async () => {
    const database = new pg.Client({ connectionString: embeddedUrl(folder.path) });
    await database.connect();
    await database.query('CHECKPOINT');
    await database.end();
    const files = filesBelow(join(folder.path, 'postgres'));
    let found = false;
    for (const file of files) {
      const bytes = readFileSync(file);
      found ||= bytes.includes('session.rotated');
      expectNothingIn(bytes, file);
    }
    expect(found).toBe(true);
  });

  function expectNothingIn(bytes: Buffer, where: string): void {
    for (const [what, value] of secrets) {
      expect([where, what, bytes.includes(Buffer.from(value, 'latin1'))]).toEqual([where, what, false]);
    }
  }

  function filesBelow(path: string): string[] {
    return readdirSync(path).flatMap((name) => {
      const below = join(path, name);
      if (statSync(below).isDirectory()) return filesBelow(below);
      return name === 'password' ? [] : [below];
    });
  }
});
