import { describe, expect, it } from '@jest/globals';
import { isAlive, isPostmasterOf, parsePostmasterFile } from './postmaster-file.js';

describe('postmaster.pid', () => {
  it('says pid and port of a server that is ready', () => {
    const text = '4711\n/data\n1700000000\n45123\n\n127.0.0.1\n  123 45\nready   \n';
    expect(parsePostmasterFile(text)).toEqual({ pid: 4711, port: 45_123 });
  });

  it('has no port yet while the server starts', () => {
    expect(parsePostmasterFile('4711\n/data\n1700000000\n')).toEqual({ pid: 4711, port: undefined });
  });

  it.each(['', '\n', 'x\n', '-1\n', '0\n', '1.5\n'])('%j says nothing', (text) => {
    expect(parsePostmasterFile(text)).toBeUndefined();
  });

  it('a living process that is no PostgreSQL on the folder is not one', () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(isPostmasterOf(process.pid, '/data')).toBe(false);
  });
});
