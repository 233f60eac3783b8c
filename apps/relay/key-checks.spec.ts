import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { KeyChecks } from './key-checks.js';

const ROUND_MS = 501;

function setUp() {
  let now = 0;
  const open: { readonly answer: () => void; readonly refuse: () => void }[] = [];
  const keys = new KeyChecks(
    {
      renew: () =>
        new Promise((resolve, reject) =>
          open.push({
            answer: () => resolve({ tenants: ['*'] }),
            refuse: () => reject(Object.assign(new Error(), { code: status.UNAUTHENTICATED })),
          }),
        ),
    },
    'own',
    () => {
      const start = now;
      return () => now - start;
    },
  );
  return { keys, open, pass: (ms: number) => (now += ms) };
}

describe('API keys of nodes behind a relay', () => {
  it('are asked about once in half a second', async () => {
    const { keys, open, pass } = setUp();
    const both = [keys.check('Bearer a'), keys.check('Bearer a')];
    expect(open).toHaveLength(1);
    open[0]!.answer();
    await expect(Promise.all(both)).resolves.toEqual([['*'], ['*']]);
    pass(ROUND_MS);
    void keys.check('Bearer a');
    expect(open).toHaveLength(2);
  });

  it('of which nothing is known have no more than 64 questions open upstream, and do not shut out the others', async () => {
    const { keys, open, pass } = setUp();
    const known = keys.check('Bearer known');
    open.pop()!.answer();
    await known;
    pass(ROUND_MS);
    const flood = Array.from({ length: 100 }, (_, n) => keys.check(`Bearer ${n}`));
    expect(open).toHaveLength(64);
    await expect(flood[99]).rejects.toMatchObject({ code: 'ERR_OVERLOADED' });
    const again = keys.check('Bearer known');
    open.pop()!.answer();
    await expect(again).resolves.toEqual(['*']);
    for (const { refuse } of open.splice(0)) refuse();
    await Promise.allSettled(flood);
    const later = keys.check('Bearer later');
    open.pop()!.answer();
    await expect(later).resolves.toEqual(['*']);
  });
});
