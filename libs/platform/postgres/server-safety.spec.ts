import { describe, expect, it } from '@jest/globals';
import { unsafeServer, type SafetyRow } from './server-safety.js';

const safe: SafetyRow = {
  version: 180_004,
  in_recovery: false,
  read_only: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  standbys: '',
};

describe('a server for the log', () => {
  it.each<[Partial<SafetyRow>, RegExp]>([
    [{ version: 130_011 }, /older than PostgreSQL 14/],
    [{ in_recovery: true }, /in recovery/],
    [{ read_only: 'on' }, /read_only/],
    [{ fsync: 'off' }, /fsync=off/],
    [{ synchronous_commit: 'off' }, /synchronous_commit=off/],
    [{ synchronous_commit: 'local', standbys: 'a' }, /synchronous_commit=local/],
  ])('is refused with %j', (difference, reason) => {
    expect(unsafeServer({ ...safe, ...difference })).toMatch(reason);
  });

  it.each<Partial<SafetyRow>>([
    {},
    { synchronous_commit: 'local' },
    { synchronous_commit: 'remote_apply', standbys: 'a' },
  ])('is taken with %j', (difference) => {
    expect(unsafeServer({ ...safe, ...difference })).toBeUndefined();
  });
});
