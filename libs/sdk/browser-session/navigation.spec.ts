import { describe, expect, it } from '@jest/globals';
import { markOf, navigationKind, withMark, withoutMark, type NavigationKind } from './navigation.js';
import { factsWith } from './request-facts.double.js';

const NOW = Date.UTC(2026, 0, 1);
const queryOf = (url: string) => new URL(url, 'https://app.example').searchParams;

describe('navigationKind', () => {
  it.each<[NavigationKind, string, Record<string, string>]>([
    ['document', 'GET', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['document', 'POST', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['document', 'HEAD', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['none', 'DELETE', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['frame', 'GET', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['none', 'GET', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' }],
    ['none', 'GET', { 'sec-fetch-mode': 'navigate' }],
    ['none', 'GET', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' }],
    ['none', 'GET', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'text/html' }],
    ['document', 'GET', { accept: 'text/html,*/*' }],
    ['none', 'GET', { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' }],
    ['none', 'GET', { accept: '*/*' }],
    ['none', 'GET', {}],
  ])('is %s for %s %j', (kind, method, headers) => {
    expect(navigationKind(factsWith({ method, headers }))).toBe(kind);
  });
});

describe('the mark', () => {
  it.each(['/', '/a?b=1', '/a?b=1&c=%20x', '/a#part', '/a?b#part', '/a?'])('comes off %j again', (url) => {
    const marked = withMark(url, NOW);
    expect(markOf(queryOf(marked), NOW + 1000)).toBe('fresh');
    expect(withoutMark(marked)).toBe(url === '/a?' ? '/a?' : url);
  });

  it('is put on once', () => {
    const twice = withMark(withMark('/a', NOW - 1000), NOW);
    expect(queryOf(twice).getAll('curfew-refreshed')).toEqual([NOW.toString(36)]);
  });

  it('comes off however it is written', () => {
    expect(withoutMark('/a?%63urfew-refreshed=1&b=2&curfew-refreshed')).toBe('/a?b=2');
  });

  it('is old after a minute, so that a bookmark with it still works', () => {
    const marked = queryOf(withMark('/a', NOW));
    expect(markOf(marked, NOW + 60_000)).toBe('fresh');
    expect(markOf(marked, NOW + 60_001)).toBe('old');
    expect(markOf(queryOf('/a?curfew-refreshed=%00'), NOW)).toBe('old');
    expect(markOf(queryOf('/a'), NOW)).toBe('absent');
  });
});
