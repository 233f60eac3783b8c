import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Heartbeat, LanePlace, LaneRecord } from '#contracts';
import { Lane, type Pin, type StoredAt, type StreamView, type Verdict } from './lane.js';
import { Lanes } from './lanes.js';
import { TopicModel, type Fate } from './topic-model.double.js';

const RUNS = Number(process.env['ROUNDS'] ?? 3000);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>('written') },
  { weight: 3, arbitrary: fc.constantFrom<Fate>('lost', 'late', 'twice', 'swapped', 'holed') },
);
const lane = fc.nat(2);
const share = fc.constantFrom(0, 0.5, 0.9, 1);

type Act = (model: TopicModel) => void;
const act = <T>(weight: number, arbitrary: fc.Arbitrary<T>, make: (value: T) => Act) => ({
  weight,
  arbitrary: arbitrary.map((value) => make(value)),
});
const nothing = fc.constant(undefined);

const which = fc.constantFrom(0, 0, 0, 1, 2);
const fates = fc.array(fate, { minLength: 3, maxLength: 3 });

/** Mostly a relay that beats and a node that renews and reads; now and then anything else. */
const acts = fc.array(
  fc.oneof(
    act(12, fc.tuple(which, fates), ([at, parts]) => (m) => {
      m.renew();
      m.beat(at, parts);
      for (const each of [0, 1, 2]) m.read(each, 50);
    }),
    act(
      4,
      fc.tuple(which, fates),
      ([at, parts]) =>
        (m) =>
          m.beat(at, parts),
    ),
    act(
      4,
      fc.tuple(lane, fc.integer({ min: 1, max: 6 })),
      ([at, count]) =>
        (m) =>
          m.read(at, count),
    ),
    act(2, nothing, () => (m) => m.renew()),
    act(6, nothing, () => (m) => m.revoke()),
    act(2, nothing, () => (m) => m.pin()),
    act(1, nothing, () => (m) => m.lead()),
    act(1, nothing, () => (m) => m.leadForeign()),
    act(1, nothing, () => (m) => m.leadAnew()),
    act(
      1,
      fc.tuple(lane, share),
      ([at, of]) =>
        (m) =>
          m.truncate(at, of),
    ),
    act(
      1,
      fc.tuple(lane, share),
      ([at, of]) =>
        (m) =>
          m.jump(at, of),
    ),
    act(
      1,
      fc.tuple(lane, share),
      ([at, of]) =>
        (m) =>
          m.repeat(at, of),
    ),
    act(1, fc.integer({ min: 1, max: 3 }), (lanes) => (m) => m.recreate(lanes)),
    act(1, nothing, () => (m) => {
      m.addLane();
      m.lead();
    }),
  ),
  { minLength: 10, maxLength: 80 },
);

type MakeLanes = (stream: StreamView, pins: readonly Pin[]) => Lanes;

/** Runs random histories. @returns how many renewals there were, and the first violation. */
function explore(
  make: MakeLanes,
  numRuns = RUNS,
): { readonly leases: number; readonly violation: string | undefined } {
  let leases = 0;
  const details = fc.check(
    fc.property(acts, (history) => {
      const model = new TopicModel(make);
      model.pin();
      for (const happens of history) {
        model.step();
        happens(model);
      }
      leases += model.leases;
      return model.violation === undefined;
    }),
    { numRuns, seed: SEED, endOnFailure: true },
  );
  return {
    leases,
    violation: details.failed ? `seed ${details.seed}, path ${details.counterexamplePath}` : undefined,
  };
}

const withLane =
  (Kind: typeof Lane): MakeLanes =>
  (stream, pins) => {
    class Broken extends Lanes {
      protected override laneOf(pin: Pin): Lane {
        return new Kind(this.stream, pin);
      }
    }
    return new Broken(stream, pins);
  };

class AnySequence extends Lane {
  protected override follows(sequence: number, last: number): boolean {
    return sequence > last;
  }
}

class AnyBeginning extends Lane {
  protected override begins(): boolean {
    return true;
  }
}

/** Takes the window's first record at any sequence, whatever stood in front of it. */
class WindowIsWhole extends Lane {
  constructor(stream: StreamView, pin: Pin) {
    super(stream, { ...pin, window: pin.window + 1n, since: Infinity });
  }
}

class LowerOnesCount extends Lane {
  #lower: Heartbeat | undefined;

  override get heartbeat(): Heartbeat | undefined {
    const own = super.heartbeat;
    if (own === undefined || this.#lower === undefined) return own;
    return Number(this.#lower.barrier) > Number(own.barrier) ? this.#lower : own;
  }

  override take(at: StoredAt, record: LaneRecord): Verdict {
    const verdict = super.take(at, record);
    if (verdict === 'older' && record.content.kind === 'heartbeat') this.#lower = record.content.heartbeat;
    return verdict;
  }
}

/** Goes by the offset alone. */
class OffsetIsEnough extends Lane {
  constructor(stream: StreamView, pin: Pin) {
    super(stream, { ...pin, since: Infinity });
  }
}

/** A lane with another idea of which records are its own. */
const ours = (isOurs: (place: LanePlace, stream: StreamView) => boolean): typeof Lane =>
  class extends Lane {
    #expected: StreamView;

    constructor(stream: StreamView, pin: Pin) {
      super(stream, pin);
      this.#expected = stream;
    }

    protected override isOurs(place: LanePlace): boolean {
      return isOurs(place, this.#expected);
    }
  };

/** Nothing reaches the topic while steps pass, over the edge of the window; then the node begins, and renews. */
function leasesBehindHole(make: MakeLanes): string | undefined {
  const model = new TopicModel(make, 1);
  const pass = (steps: number, fate: Fate): void => {
    for (let step = 0; step < steps; step += 1) {
      model.step();
      if (fate === 'lost') model.revoke();
      model.beat(0, [fate]);
    }
  };
  pass(5, 'written');
  pass(15, 'lost');
  pass(17, 'written');
  model.pin();
  model.renew();
  model.step();
  model.beat(0, ['written']);
  model.read(0, 100);
  return model.violation;
}

/** A node begins behind a hole; then the topic is made anew, so that the next record stands in front of where it began. */
function leasesOnTopicMadeAnew(make: MakeLanes): string | undefined {
  const model = new TopicModel(make, 1);
  model.revoke();
  model.step();
  model.beat(0, ['holed']);
  model.truncate(0, 1);
  model.pin();
  model.beat(0, ['written']);
  model.read(0, 100);
  model.recreate(1);
  model.step();
  model.renew();
  model.beat(0, ['written']);
  model.read(0, 100);
  return model.violation;
}

class OneLaneIsEnough extends Lanes {
  protected override hasAll(lanes: number): boolean {
    return lanes > 0;
  }
}

describe('G2: the lease over Kafka, whatever becomes of records, relays and topic', () => {
  it(`renews only when all that was revoked before has been applied (SEED=${SEED})`, () => {
    const { leases, violation } = explore((stream, pins) => new Lanes(stream, pins));
    expect(violation).toBeUndefined();
    // A model in which nothing is ever renewed would prove nothing.
    expect(leases).toBeGreaterThan(RUNS);
  });

  it('gives no lease behind a hole over the edge of the window', () => {
    expect(leasesBehindHole((stream, pins) => new Lanes(stream, pins))).toBeUndefined();
    expect(leasesBehindHole(withLane(WindowIsWhole))).toBeDefined();
  });

  it('gives no lease on a topic that was made anew, though its offsets are in front of the window', () => {
    expect(leasesOnTopicMadeAnew((stream, pins) => new Lanes(stream, pins))).toBeUndefined();
    expect(leasesOnTopicMadeAnew(withLane(OffsetIsEnough))).toBeDefined();
  });

  it('is held up by no records that were written once more, wherever the window begins', () => {
    const model = new TopicModel((stream, pins) => new Lanes(stream, pins), 1);
    for (let step = 0; step < 100; step += 1) {
      model.step();
      model.beat(0, ['written']);
      if (step < 40) model.repeat(0, 0.5);
      model.pin();
      const { leases } = model;
      model.renew();
      model.beat(0, ['written']);
      model.read(0, 1_000);
      expect([step, model.leases - leases, model.violation]).toEqual([step, 1, undefined]);
    }
  });

  it.each<[string, MakeLanes]>([
    ['contiguity is not checked', withLane(AnySequence)],
    ['an incarnation may begin anywhere', withLane(AnyBeginning)],
    ['a topic that was cut off counts as whole', withLane(WindowIsWhole)],
    ['heartbeats of lower incarnations count', withLane(LowerOnesCount)],
    ['the stream is not checked', withLane(ours(({ lanes }, stream) => lanes === stream.lanes))],
    [
      'the number of lanes is not checked',
      withLane(ours(({ streamId }, stream) => streamId === stream.streamId)),
    ],
    ['one lane is enough', (stream, pins) => new OneLaneIsEnough(stream, pins)],
  ])('finds a violation when %s', (_, make) => {
    // Ends with the first one. Some are rare: about one history in a thousand shows them.
    expect(explore(make, 20 * RUNS).violation).toBeDefined();
  });
});
