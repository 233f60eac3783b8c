import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { eventsPage } from './events-page.js';
import { configurationPage, errorsPage } from './reference-pages.js';
import { sessionEventsPage } from './session-events-page.js';

const committed = (page: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../docs/reference/${page}`, import.meta.url)), 'utf8');

describe('the generated reference pages (npm run docs:generate)', () => {
  it.each([
    ['errors.md', errorsPage],
    ['configuration.md', configurationPage],
    ['events.md', eventsPage],
    ['session-events.md', sessionEventsPage],
  ])('%s says what the code says', (page, generate) => {
    expect(committed(page)).toBe(generate());
  });
});
