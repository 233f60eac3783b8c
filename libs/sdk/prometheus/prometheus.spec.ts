import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fakeTimers, NodeUnderTest, realTimers } from '../core/node-under-test.double.js';
import { curfewMetrics, curfewMetricsContentType } from './index.js';

/** Samples by name and labels. Written for this test, from the format's description. */
function samples(text: string): Record<string, string> {
  expect(text.endsWith('\n')).toBe(true);
  const found: Record<string, string> = {};
  let family = '';
  for (const line of text.trimEnd().split('\n')) {
    const help = /^# HELP (\S+) \S.*$/.exec(line);
    if (help) family = help[1] ?? '';
    else if (line.startsWith('#')) expect(line).toMatch(new RegExp(`^# TYPE ${family} (counter|gauge)$`));
    else {
      const [, name, labels = '', value = ''] = /^([a-z_]+)(\{[a-z]+="[a-z]+"\})? (\S+)$/.exec(line) ?? [];
      expect(name).toBe(family);
      found[`${family}${labels}`] = value;
    }
  }
  return found;
}

describe('curfewMetrics', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('is Prometheus text with every figure of a node', async () => {
    const node = await NodeUnderTest.ready();
    const token = node.key.token();
    for (let i = 0; i < 3; i += 1) await node.curfew.verify(token);
    await node.goStale();
    node.introspectsAs();
    await node.curfew.verify(token);
    expect(curfewMetricsContentType).toContain('version=0.0.4');
    expect(samples(curfewMetrics(node.curfew))).toEqual({
      curfew_node_fresh: '0',
      curfew_node_lease_age_seconds: '2.001',
      'curfew_node_source{source="watch"}': '1',
      'curfew_node_source{source="kafka"}': '0',
      curfew_node_cached_tokens: '1',
      curfew_node_denied: '0',
      curfew_node_dropped_total: '0',
      'curfew_node_memory_accepted_total{cache="hit"}': '2',
      'curfew_node_memory_accepted_total{cache="miss"}': '1',
      curfew_node_refused_total: '0',
      'curfew_node_stale_verifications_total{outcome="accepted"}': '1',
      'curfew_node_stale_verifications_total{outcome="refused"}': '0',
      'curfew_node_stale_verifications_total{outcome="unavailable"}': '0',
      curfew_node_introspections_total: '1',
      curfew_node_connections_total: expect.stringMatching(/^[1-9]/),
    });
  });

  it('says that there is no lease yet', () => {
    const text = samples(curfewMetrics(NodeUnderTest.unanswered().curfew));
    expect(text).toMatchObject({ curfew_node_fresh: '0', curfew_node_lease_age_seconds: '+Inf' });
  });
});
