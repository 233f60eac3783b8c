import { createCurfew, type Curfew, type CurfewOptions, type CurfewStats } from '#sdk';

/** Orders to this process. */
export type StampedeOrder =
  /** Tokens to verify, by sid, from now on. */
  { readonly do: 'verify'; readonly tokens: Readonly<Record<string, string>> } | { readonly do: 'report' };

/** What its nodes saw since the last report. */
export interface StampedeReport {
  readonly fresh: number;
  /** By sid: when the last verification that was accepted began, by the machine's monotonic clock, ms. */
  readonly acceptedAt: Readonly<Record<string, number>>;
  readonly stats: readonly CurfewStats[];
}

export interface StampedeSettings {
  readonly nodes: number;
  /** Of each node in a second. */
  readonly verifiesPerSecond: number;
  readonly options: CurfewOptions;
}

/** The same in every process of a machine (Linux: CLOCK_MONOTONIC), so that moments can be compared. */
export const machineTime = (): number => Number(process.hrtime.bigint()) / 1e6;

const TICK_MS = 50;

async function run({ nodes, verifiesPerSecond, options }: StampedeSettings): Promise<void> {
  const all = Array.from({ length: nodes }, () => createCurfew(options));
  await Promise.all(all.map((node) => node.ready({ timeoutMs: 30_000 })));
  const acceptedAt: Record<string, number> = {};
  let tokens: (readonly [sid: string, token: string])[] = [];

  const verify = async (node: Curfew): Promise<void> => {
    const [sid, token] = tokens[Math.floor(Math.random() * tokens.length)] ?? ['', ''];
    const begun = machineTime();
    try {
      await node.verify(token);
      acceptedAt[sid] = Math.max(acceptedAt[sid] ?? 0, begun);
    } catch {
      // Counted by the node.
    }
  };
  // What is less than one in a tick is left to chance.
  const each = (verifiesPerSecond * TICK_MS) / 1_000;
  setInterval(() => {
    if (tokens.length === 0) return;
    for (const node of all) for (let left = each; left > Math.random(); left -= 1) void verify(node);
  }, TICK_MS);

  process.on('message', (order: StampedeOrder) => {
    if (order.do === 'verify') tokens = Object.entries(order.tokens);
    else {
      const stats = all.map((node) => node.stats());
      const fresh = all.filter((node) => node.lease().fresh).length;
      process.send?.({ fresh, acceptedAt, stats } satisfies StampedeReport);
    }
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ ready: true });
}

const settings = process.env['STAMPEDE_SETTINGS'];
if (settings !== undefined) void run(JSON.parse(settings) as StampedeSettings);
