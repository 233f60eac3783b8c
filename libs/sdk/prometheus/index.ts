import type { Curfew } from '../index.js';

type Labels = Readonly<Record<string, string>>;

/** One metric: its samples are labels and values. */
function metric(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  ...samples: readonly (readonly [value: number, labels?: Labels])[]
): string {
  const lines = samples.map(([value, labels = {}]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    const number = value === Infinity ? '+Inf' : String(value);
    return `${name}${pairs.length > 0 ? `{${pairs.join()}}` : ''} ${number}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** `Content-Type` of what `curfewMetrics` returns. */
export const curfewMetricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The metrics of a node in Prometheus' text format, to be answered to a scrape or put behind another registry's text. Nothing in
 * it is personal data, a token or an id. Costs some microseconds.
 */
export function curfewMetrics(node: Pick<Curfew, 'stats' | 'lease'>): string {
  const stats = node.stats();
  const sources = (['watch', 'kafka'] as const).map(
    (source) => [Number(stats.source === source), { source }] as const,
  );
  return [
    metric('curfew_node_fresh', 'gauge', 'Whether the node may decide from its memory (1) or not (0).', [
      Number(node.lease().fresh),
    ]),
    metric(
      'curfew_node_lease_age_seconds',
      'gauge',
      'Age of what the memory shows; +Inf before the first lease.',
      [stats.leaseAgeMs / 1000],
    ),
    metric('curfew_node_source', 'gauge', 'Where the last renewal came from.', ...sources),
    metric('curfew_node_cached_tokens', 'gauge', 'Tokens in the cache.', [stats.cached]),
    metric('curfew_node_denied', 'gauge', 'Revocations on the deny-list.', [stats.denied]),
    metric('curfew_node_dropped_total', 'counter', 'Cached tokens that a revocation dropped.', [
      stats.dropped,
    ]),
    metric(
      'curfew_node_memory_accepted_total',
      'counter',
      'Verifications accepted from memory: hits, and misses that cost a signature check.',
      [stats.hits, { cache: 'hit' }],
      [stats.misses, { cache: 'miss' }],
    ),
    metric(
      'curfew_node_refused_total',
      'counter',
      'Verifications refused, from memory or by introspection.',
      [stats.refused],
    ),
    metric(
      'curfew_node_stale_verifications_total',
      'counter',
      'Verifications without a lease that was young enough, by how they ended.',
      [stats.staleAccepted, { outcome: 'accepted' }],
      [stats.staleRefused, { outcome: 'refused' }],
      [stats.staleUnavailable, { outcome: 'unavailable' }],
    ),
    metric('curfew_node_introspections_total', 'counter', 'Calls to introspect a token.', [
      stats.introspections,
    ]),
    metric('curfew_node_connections_total', 'counter', 'Connections to the gRPC door begun.', [
      stats.connections,
    ]),
  ].join('');
}
