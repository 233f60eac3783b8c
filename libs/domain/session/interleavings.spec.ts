import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deriveSuccessor, hashSecret } from '../refresh-token/refresh-token.js';
import { decideRefresh, type RefreshDecision } from './decide-refresh.js';
import { decideRevoke } from './decide-revoke.js';
import type { SessionEvent } from './events.js';
import { evolve, generationOf, MAX_COMMAND_AGE } from './evolve.js';
import { given, QUIET_SCOPES, sessionCreated, START } from './session.spec-support.js';
import type { SessionState } from './state.js';

const GRACE = 10_000;
const PEPPER = Buffer.alloc(32, 7);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const ROUNDS = Number(process.env['ROUNDS'] ?? 300);

interface Token {
  readonly gen: number;
  readonly secret: Uint8Array;
}
interface Request {
  readonly token: Token;
  readonly key: string | undefined;
  readonly now: number;
  loadedLength: number;
  firstLoadGen: number;
}

/** A service with one session: requests load, decide and append in any order, as instances on one log do. */
class Service {
  private readonly first = Buffer.alloc(32, 1);
  readonly log: SessionEvent[];
  /** The one secret that was ever given out for a generation. */
  readonly givenOut = new Map<number, string>([[0, hashSecret(this.first)]]);
  now = START;
  private salts = 0;

  constructor(readonly reuseGrace: number) {
    const policy = { accessTtl: 300_000, idleTimeout: 1e10, absoluteTimeout: 1e11, reuseGrace };
    this.log = [sessionCreated({ secretHash: hashSecret(this.first), policy })];
  }

  initialToken(): Token {
    return { gen: 0, secret: this.first };
  }
  state(length = this.log.length): SessionState {
    return given(...this.log.slice(0, length));
  }
  receive(token: Token, key: string | undefined): Request {
    const state = this.state();
    return {
      token,
      key,
      now: this.now,
      loadedLength: this.log.length,
      firstLoadGen: state.status === 'none' ? -1 : state.gen,
    };
  }
  /** Decides on what was loaded; reloads on a conflict. Undefined: too late to append. */
  finish(request: Request): { decision: RefreshDecision; token?: Token } | undefined {
    for (;;) {
      const decision = this.decide(request);
      if (decision.events.length > 0) {
        if (this.now - request.now > MAX_COMMAND_AGE) return undefined;
        if (request.loadedLength !== this.log.length) {
          request.loadedLength = this.log.length;
          continue;
        }
        this.log.push(...decision.events);
      }
      const token = 'gen' in decision ? this.derive(request.token, decision.gen) : undefined;
      return { decision, ...(token ? { token } : {}) };
    }
  }
  private decide(request: Request): RefreshDecision {
    const { token } = request;
    const salt = createHmac('sha256', 'salt')
      .update(String((this.salts += 1)))
      .digest();
    const older = this.rotations().find(({ gen }) => gen === token.gen);
    return decideRefresh(this.state(request.loadedLength), {
      now: request.now,
      sentAt: this.now,
      sid: 'sid-1',
      scopes: QUIET_SCOPES,
      presented: { gen: token.gen, secretHash: hashSecret(token.secret) },
      ...(older ? { olderGeneration: generationOf(older) } : { olderGeneration: this.zero() }),
      firstLoadGen: request.firstLoadGen,
      ...(request.key === undefined ? {} : { idempotencyKeyHash: request.key }),
      successor: {
        secretHash: hashSecret(deriveSuccessor(token.secret, salt, PEPPER)),
        salt: salt.toString('base64url'),
        pepperId: 1,
        macKeyId: 1,
      },
    });
  }
  private zero() {
    return { gen: 0, secretHash: hashSecret(this.first), macKeyId: 1, accessExp: 0, replays: [] };
  }
  rotations() {
    return this.log.flatMap((event) => (event.type === 'session.rotated' ? [event.data] : []));
  }
  private derive(token: Token, to: number): Token {
    let secret = token.secret;
    for (const { gen, salt } of this.rotations()) {
      if (gen > token.gen && gen <= to)
        secret = deriveSuccessor(secret, Buffer.from(salt, 'base64url'), PEPPER);
    }
    const hash = hashSecret(secret);
    const before = this.givenOut.get(to);
    if (before === undefined) this.givenOut.set(to, hash);
    else expect(hash).toBe(before);
    return { gen: to, secret };
  }
}

const terminal = (event: SessionEvent) =>
  event.type === 'session.revoked' || event.type === 'session.expired';

function checkLog(service: Service): void {
  const ends = service.log.findIndex(terminal);
  if (ends >= 0) expect(ends).toBe(service.log.length - 1);
  expect(service.rotations().map(({ gen }) => gen)).toEqual(service.rotations().map((_, index) => index + 1));
  service.log.forEach((event, index) => {
    if (event.type === 'session.theft-detected') expect(service.log[index + 1]?.type).toBe('session.revoked');
  });
}

const holderStep = fc.record({
  kind: fc.constantFrom('send', 'finish', 'finish', 'steal', 'advance', 'revoke' as const),
  holder: fc.nat(3),
  key: fc.constantFrom('stored', 'stored', 'repeated', 'repeated', 'none', 'wrong' as const),
  pick: fc.nat(7),
  ms: fc.constantFrom(0, 50, 150, 900, 4_000, 9_900, 9_999, 10_001, 60_000, 3_600_000),
  lost: fc.boolean(),
});

describe('several holders of one session, in any interleaving', () => {
  it(`G1 G3 G4: one successor per generation, an end is final, reuse is theft (seed ${SEED})`, () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(
        fc.constantFrom(0, GRACE),
        fc.array(holderStep, { minLength: 5, maxLength: 60 }),
        (grace, steps) => {
          const service = new Service(grace);
          const holders = Array.from({ length: 4 }, (_, index) => ({
            token: service.initialToken(),
            key: `key-${index}-0`,
            previousKey: undefined as string | undefined,
            sent: 0,
          }));
          const inFlight: { request: Request; holder: (typeof holders)[number] }[] = [];
          for (const step of steps) {
            const holder = holders[step.holder] as (typeof holders)[number];
            if (step.kind === 'advance') service.now += step.ms;
            if (step.kind === 'steal')
              holder.token = (holders[step.pick % 4] as (typeof holders)[number]).token;
            if (step.kind === 'revoke' && step.pick === 0) {
              service.log.push(
                ...decideRevoke(service.state(), { now: service.now, reason: 'logout', initiator: 'user' }),
              );
            }
            if (step.kind === 'send') {
              const keys = {
                stored: holder.key,
                none: undefined,
                repeated: holder.previousKey,
                wrong: `wrong-${step.ms}`,
              };
              inFlight.push({ request: service.receive(holder.token, keys[step.key]), holder });
            }
            const [next] =
              step.kind === 'finish' ? inFlight.splice(step.pick % Math.max(1, inFlight.length), 1) : [];
            if (next) finishOne(service, next.request, next.holder, step.lost, outcomes);
            checkLog(service);
          }
        },
      ),
      { seed: SEED, numRuns: ROUNDS * 3 },
    );
    // A property that never reaches a row proves nothing about it.
    for (const reached of [
      'rotated',
      'replayed:grace',
      'replayed:first-load',
      'theft',
      'refused',
      'key-reused',
    ]) {
      expect([...outcomes.keys()]).toContain(reached);
    }
  });

  function finishOne(
    service: Service,
    request: Request,
    holder: { token: Token; key: string; previousKey: string | undefined; sent: number },
    lost: boolean,
    outcomes: Map<string, number>,
  ): void {
    const wasEnded = service.log.some(terminal);
    const successor = service.rotations().find(({ gen }) => gen === request.token.gen + 1);
    const lengthBefore = service.log.length;
    const result = service.finish(request);
    if (!result) return;
    const { decision, token } = result;
    const name = decision.outcome === 'replayed' ? `replayed:${decision.rule}` : decision.outcome;
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    // What writes nothing may be answered on a load from before the end; whatever a replay gives out is dead.
    if (wasEnded) expect(['refused', 'replayed', 'key-reused']).toContain(decision.outcome);
    if (wasEnded) expect(service.log.length).toBe(lengthBefore);
    if (decision.outcome === 'replayed') {
      expect(replayIsAllowed(service, request, successor)).toBe(true);
    }
    if (decision.outcome === 'theft') {
      expect(service.state().status).toBe('ended');
      // No honest race is taken for theft: what a rule allows by the request's receipt is never one.
      expect(replayIsAllowed(service, request, successor)).toBe(false);
    }
    if (token && !lost) {
      holder.token = token;
      holder.previousKey = request.key;
      holder.key = `key-${(holder.sent += 1)}-${token.gen}-${service.log.length}`;
    }
  }

  it(`G3: an honest client that stores its key before it sends is never signed out, whatever is lost (seed ${SEED})`, () => {
    const step = fc.record({
      requestLost: fc.boolean(),
      responseLost: fc.boolean(),
      pause: fc.constantFrom(0, 5, 900, 60_000, 86_400_000),
      duplicates: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const service = new Service(GRACE);
        let client = { token: service.initialToken(), key: 'key-0' };
        steps.forEach(({ requestLost, responseLost, pause, duplicates }, index) => {
          service.now += pause;
          if (requestLost) return;
          // Duplicates of one request (a proxy that retries, tabs that share a cookie) run at the same time.
          const requests = Array.from({ length: 1 + duplicates }, () =>
            service.receive(client.token, client.key),
          );
          const results = requests.map((request) => service.finish(request));
          for (const result of results) expect(['rotated', 'replayed']).toContain(result?.decision.outcome);
          const token = results.at(-1)?.token;
          if (!responseLost && token) client = { token, key: `key-${index + 1}` };
        });
        expect(service.state().status).toBe('open');
      }),
      { seed: SEED, numRuns: ROUNDS },
    );
  });

  it(`G3: 100 presentations of one token at once yield one rotation, and the same token for all (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99), { minLength: 200, maxLength: 200 }), (order) => {
        const service = new Service(GRACE);
        const requests = Array.from({ length: 100 }, (_, index) =>
          service.receive(service.initialToken(), index % 3 === 0 ? `key-${index}` : undefined),
        );
        const tokens = new Set<string>();
        for (const index of [...new Set([...order, ...requests.keys()])]) {
          service.now += 1;
          const result = service.finish(requests[index] as Request);
          tokens.add(Buffer.from(result?.token?.secret ?? []).toString('hex'));
        }
        expect(tokens.size).toBe(1);
        expect(service.rotations()).toHaveLength(1);
        expect(service.state().status).toBe('open');
      }),
      { seed: SEED, numRuns: Math.max(200, ROUNDS) },
    );
  });

  it('G1: no sequence of events after an end changes the state', () => {
    const ended = given(sessionCreated(), {
      type: 'session.revoked',
      data: { sub: 'u', tenant: 'default', reason: 'user', initiator: 'user', at: START },
    });
    expect([sessionCreated(), ...sampleEvents()].reduce(evolve, ended)).toBe(ended);
  });
});

function replayIsAllowed(
  service: Service,
  request: Request,
  successor: ReturnType<Service['rotations']>[number] | undefined,
): boolean {
  const inGrace = (next: { supersededAt: number } | undefined): boolean =>
    service.reuseGrace > 0 && next !== undefined && request.now - next.supersededAt <= service.reuseGrace;
  const afterSuccessor = service.rotations().find(({ gen }) => gen === request.token.gen + 2);
  const withKey = request.key !== undefined && request.key === successor?.idempotencyKeyHash;
  return (
    (withKey && (afterSuccessor === undefined || inGrace(afterSuccessor))) ||
    inGrace(successor) ||
    request.firstLoadGen === request.token.gen
  );
}

function sampleEvents(): SessionEvent[] {
  const service = new Service(GRACE);
  service.finish(service.receive(service.initialToken(), 'k'));
  return service.log;
}
