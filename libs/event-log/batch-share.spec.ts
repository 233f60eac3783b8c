import { expect, it } from '@jest/globals';
import { batchShare } from './batch-share.js';

it.each([
  [1, 16],
  [64, 16],
  [65, 17],
  [512, 128],
  [5_000, 256],
])('of %i that wait, up to %i share a batch', (waiting, share) => {
  expect(batchShare(waiting, 256)).toBe(share);
});

it('never more than is allowed', () => {
  expect(batchShare(10, 4)).toBe(4);
});
