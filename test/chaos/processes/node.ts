import { createCurfew, CurfewSdkError } from '#sdk';
import { kafkaRevocations } from '#sdk/kafka';
import { monotonicNow } from './monotonic-now.js';
import type { NodeCounts, NodeReport, NodeSettings, ToNode } from './node-messages.js';

/** An API node that verifies without a pause and remembers when it accepted what. */
const settings = JSON.parse(process.env['CHAOS_NODE'] ?? '{}') as NodeSettings;

const TICK_MS = 10;
/** In one tick; a cold token is one that was revoked long ago. */
const HOT_A_TICK = 20;
const COLD_A_TICK = 2;
/** Introspections under way do not pile up. */
const MAX_UNDER_WAY = 24;
const REPORT_EVERY_MS = 200;

const { kafka } = settings;
const curfew = createCurfew({
  service: settings.service,
  watch: settings.watch,
  apiKey: settings.apiKey,
  issuer: settings.issuer,
  audience: settings.audience,
  tenant: 'default',
  stalenessBound: settings.bound,
  onStale: settings.onStale,
  nodeId: settings.name,
  ...(settings.maxSessions === undefined ? {} : { maxSessions: settings.maxSessions }),
  ...(kafka === undefined
    ? {}
    : {
        revocations: kafkaRevocations({
          kafka: { brokers: [...kafka.brokers], clientId: settings.name },
          fallback: kafka.fallback,
          onDiagnostic: ({ kind, message }) => console.log(`${kind}: ${message}`),
        }),
      }),
  onDiagnostic: ({ kind, message }) => console.log(`${kind}: ${message}`),
});

/** Tokens in turn. */
class Round {
  private readonly tokens = new Map<string, string>();
  private order: string[] = [];
  private at = 0;

  add(sid: string, token: string): void {
    if (!this.tokens.has(sid)) this.order.push(sid);
    this.tokens.set(sid, token);
  }

  /** Returns what it had. */
  remove(sid: string): string | undefined {
    const token = this.tokens.get(sid);
    this.tokens.delete(sid);
    return token;
  }

  next(): readonly [sid: string, token: string] | undefined {
    while (this.order.length > 0) {
      if (this.at >= this.order.length) {
        this.order = this.order.filter((sid) => this.tokens.has(sid));
        this.at = 0;
        if (this.order.length === 0) return undefined;
      }
      const sid = this.order[this.at++]!;
      const token = this.tokens.get(sid);
      if (token !== undefined) return [sid, token];
    }
    return undefined;
  }
}

const hot = new Round();
const cold = new Round();
const counts: NodeCounts = { accepted: 0, refused: 0, stale: 0, failed: 0 };
const surprises: Record<string, number> = {};
const accepted = new Map<string, number>();
const refused = new Map<string, number>();
const everRefused = new Set<string>();
let underWay = 0;

function verify(sid: string, token: string): void {
  underWay += 1;
  // Before the call: a process that is stopped between decision and note must not look late.
  const asked = monotonicNow();
  curfew
    .verify(token)
    .then(
      () => {
        counts.accepted += 1;
        accepted.set(sid, Math.max(asked, accepted.get(sid) ?? 0));
      },
      (error: unknown) => {
        const code = error instanceof CurfewSdkError ? error.code : String(error);
        if (code === 'ERR_STALE') counts.stale += 1;
        else if (code === 'ERR_TOKEN_REFUSED') {
          counts.refused += 1;
          if (!everRefused.has(sid)) refused.set(sid, monotonicNow());
          everRefused.add(sid);
        } else {
          counts.failed += 1;
          surprises[code] = (surprises[code] ?? 0) + 1;
        }
      },
    )
    .finally(() => (underWay -= 1));
}

function turn(round: Round, verifications: number): void {
  for (let i = 0; i < verifications && underWay < MAX_UNDER_WAY; i += 1) {
    const next = round.next();
    if (next === undefined) return;
    verify(...next);
  }
}

function report(question?: number): void {
  const { hits, introspections } = curfew.stats();
  const message: NodeReport = {
    ...(question === undefined ? {} : { question }),
    accepted: [...accepted],
    refused: [...refused],
    counts,
    hits,
    introspections,
    fresh: curfew.lease().fresh,
    surprises,
  };
  accepted.clear();
  refused.clear();
  process.send?.(message);
}

process.on('message', (message: ToNode) => {
  switch (message.kind) {
    case 'tell':
      for (const [sid, token] of message.tokens) hot.add(sid, token);
      break;
    case 'cool':
      for (const sid of message.sids) {
        const token = hot.remove(sid);
        if (token !== undefined) cold.add(sid, token);
      }
      break;
    case 'forget':
      for (const sid of message.sids) {
        hot.remove(sid);
        cold.remove(sid);
        everRefused.delete(sid);
      }
      break;
    case 'ask':
      report(message.question);
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => void curfew.close().then(() => process.exit(0)));

await curfew.ready({ timeoutMs: 30_000 });
setInterval(() => {
  turn(hot, HOT_A_TICK);
  turn(cold, COLD_A_TICK);
}, TICK_MS);
setInterval(() => report(), REPORT_EVERY_MS);
process.send?.({ ready: { name: settings.name } });
