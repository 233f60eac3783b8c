import { describe, expect, it } from '@jest/globals';
import type { LaneContent, LanePlace } from '#contracts';
import { Lane, type Verdict } from './lane.js';

const STREAM = { streamId: 's-1', lanes: 2 };
const heartbeat = (barrier: number): LaneContent => ({
  kind: 'heartbeat',
  heartbeat: { barrier: String(barrier), cursor: `c${barrier}`, referenceTimeMs: 1, maxAccessTtlMs: 1 },
});
const other: LaneContent = { kind: 'unknown', type: 'curfew.later' };

type Step = readonly [place: string, verdict: Verdict, barrier: number | undefined];

/** `5.7 h3`: incarnation 5, sequence 7, heartbeat with barrier 3; `@20` at that offset; `n` with a timestamp in the window; `x` of another stream, `w` with other lanes. */
function play(steps: readonly Step[], window = 11n): void {
  const lane = new Lane(STREAM, { offset: 10n, window, since: 1000 });
  let next = 10n;
  for (const [text, verdict, barrier] of steps) {
    const [, incarnation, sequence] = /(\d+)\.(\d+)/.exec(text)!;
    const offset = BigInt(/@(\d+)/.exec(text)?.[1] ?? next);
    next = offset + 1n;
    const place: LanePlace = {
      streamId: text.includes('x') ? 'another' : STREAM.streamId,
      lanes: text.includes('w') ? 3 : STREAM.lanes,
      incarnation: Number(incarnation),
      sequence: Number(sequence),
    };
    const beat = /h(\d+)/.exec(text)?.[1];
    const content = beat === undefined ? other : heartbeat(Number(beat));
    const seen = [
      text,
      lane.take({ offset, timestamp: text.includes('n') ? 1000 : 999 }, { place, content }),
      lane.heartbeat?.barrier,
    ];
    expect(seen).toEqual([text, verdict, barrier === undefined ? undefined : String(barrier)]);
  }
}

describe('a lane', () => {
  it('begins in front of the window, at any sequence', () =>
    play([
      ['5.7 h1', 'next', 1],
      ['5.8', 'next', 1],
      ['5.9 h4', 'next', 4],
    ]));

  it('does not begin in the window', () =>
    play([
      ['5.7 h1 @11', 'gap', undefined],
      ['5.8 h2', 'gap', undefined],
    ]));

  it('does not begin in front of the window with a record from now: the topic was made anew', () =>
    play([
      ['5.7 h1 n', 'gap', undefined],
      ['5.8 h2 n', 'gap', undefined],
      ['6.1 h3 n', 'next', 3],
    ]));

  it('does not begin in the middle where the topic was cut off', () =>
    play(
      [
        ['5.7 h1', 'gap', undefined],
        ['6.1 h2', 'next', 2],
      ],
      10n,
    ));

  it('begins anew in front of the window as often as it must, and goes on from there', () =>
    play(
      [
        ['5.2', 'next', undefined],
        ['5.7 h1', 'next', 1],
        ['5.3', 'duplicate', 1],
        ['4.9', 'older', 1],
        ['6.5 h2', 'next', 2],
        ['5.8', 'older', 2],
        ['6.6 h3', 'next', 3],
        ['6.8 h5', 'gap', undefined],
      ],
      17n,
    ));

  it('begins anywhere with the first record of an incarnation', () =>
    play(
      [
        ['5.1 @99', 'next', undefined],
        ['5.2 h3', 'next', 3],
      ],
      10n,
    ));

  it('takes duplicates and replays for what they are', () =>
    play([
      ['5.7 h1', 'next', 1],
      ['5.8 h2', 'next', 2],
      ['5.7 h1', 'duplicate', 2],
      ['5.8 h2', 'duplicate', 2],
      ['5.9 h3', 'next', 3],
    ]));

  it('knows nothing from a gap on, whatever comes in that incarnation', () =>
    play([
      ['5.7 h1', 'next', 1],
      ['5.9 h3', 'gap', undefined],
      ['5.8 h2', 'gap', undefined],
      ['5.9 h3', 'gap', undefined],
      ['5.10 h4', 'gap', undefined],
      ['6.1 h5', 'next', 5],
    ]));

  it('counts a higher incarnation from its first record on, and never a lower one', () =>
    play([
      ['5.7 h1', 'next', 1],
      ['6.1', 'next', undefined],
      ['5.8 h9', 'older', undefined],
      ['6.2 h3', 'next', 3],
      ['5.1 h10', 'older', 3],
    ]));

  it('takes a higher incarnation that does not begin for a gap', () =>
    play([
      ['5.7 h1', 'next', 1],
      ['6.2 h3', 'gap', undefined],
      ['5.8 h4', 'older', undefined],
      ['6.3 h5', 'gap', undefined],
    ]));

  it('leaves out other streams, and those who see other lanes', () =>
    play([
      ['5.7 h1', 'next', 1],
      ['9.1 h50 x', 'foreign', 1],
      ['9.1 h50 w', 'foreign', 1],
      ['5.8 h2', 'next', 2],
    ]));
});
