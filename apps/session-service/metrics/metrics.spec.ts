import { describe, expect, it } from '@jest/globals';
import { Metrics, type MetricSample, type MetricSource } from './metrics.js';

const source = (
  name: string,
  collect: MetricSource['collect'],
  type: MetricSource['type'] = 'gauge',
): MetricSource => ({ name, help: `Help of ${name}.`, type, collect });
const lines = async (...sources: MetricSource[]) =>
  (await new Metrics(sources).text()).split('\n').filter((line) => line.includes('curfew_'));

describe('Metrics', () => {
  it('asks its sources at each scrape, and forgets what they no longer say', async () => {
    let samples: MetricSample[] = [
      { labels: { projection: 'counters', state: 'live' }, value: 1 },
      { labels: { projection: 'sessions' }, value: 0.5 },
    ];
    const metrics = new Metrics([source('curfew_lag_seconds', () => samples)]);
    const values = async () =>
      (await metrics.text()).split('\n').filter((line) => line.startsWith('curfew_'));
    expect(await values()).toEqual([
      'curfew_lag_seconds{projection="counters",state="live"} 1',
      'curfew_lag_seconds{projection="sessions"} 0.5',
    ]);
    samples = [{ labels: { projection: 'sessions' }, value: 2 }];
    expect(await values()).toEqual(['curfew_lag_seconds{projection="sessions"} 2']);
    samples = [];
    expect(await values()).toEqual([]);
  });

  it('says what a metric is', async () => {
    const count = source('curfew_done_total', () => Promise.resolve([{ labels: {}, value: 7 }]), 'counter');
    expect(await lines(count)).toEqual([
      '# HELP curfew_done_total Help of curfew_done_total.',
      '# TYPE curfew_done_total counter',
      'curfew_done_total 7',
    ]);
  });

  it('shows the figures of the process itself', async () => {
    const text = await new Metrics().text();
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
  });

  it('leaves out a source that throws, rejects, hangs or counts backwards, and answers the others', async () => {
    const written = await lines(
      source('curfew_throws', () => {
        throw new Error('secret');
      }),
      source('curfew_rejects', () => Promise.reject(new Error('secret'))),
      source('curfew_hangs', () => new Promise<never>(() => undefined)),
      source('curfew_backwards_total', () => [{ labels: {}, value: -1 }], 'counter'),
      source('curfew_fine', () => [{ labels: {}, value: 1 }]),
    );
    expect(written.filter((line) => !line.startsWith('#'))).toEqual([
      'curfew_fine 1',
      ...['throws', 'rejects', 'hangs', 'backwards_total'].map(
        (name) => `curfew_metric_source_failed{metric="curfew_${name}"} 1`,
      ),
    ]);
    expect(written.join()).not.toContain('secret');
  });

  it('refuses two sources of one name', () => {
    const twice = source('curfew_x', () => []);
    expect(() => new Metrics([twice, twice])).toThrow('one name');
  });
});
