import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { terminalOf } from './terminal.js';

function setUp({ inputTty = true, outputTty = true } = {}) {
  const input = Object.assign(new PassThrough(), { isTTY: inputTty });
  const output = Object.assign(new PassThrough(), { isTTY: outputTty, columns: 20 });
  let written = '';
  output.on('data', (chunk: Buffer) => (written += chunk.toString()));
  return { input, terminal: terminalOf(input, output), written: () => written };
}

describe('terminalOf', () => {
  it('asks and reads one line', async () => {
    const { input, terminal, written } = setUp();
    const answer = terminal.ask!('Go on? ');
    input.write('yes\nmore\n');
    expect(await answer).toBe('yes');
    expect(written()).toContain('Go on? ');
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('takes %s for no answer', async (_name, key) => {
    const { input, terminal } = setUp();
    const answer = terminal.ask!('Go on? ');
    input.write(key);
    expect(await answer).toBe('');
  });

  it('takes an input that ends for no answer', async () => {
    const { input, terminal } = setUp();
    const answer = terminal.ask!('Go on? ');
    input.end();
    expect(await answer).toBe('');
  });

  it('draws over the line before, and never wraps', async () => {
    const { terminal, written } = setUp();
    terminal.draw!('x'.repeat(50));
    terminal.draw!('');
    await Promise.resolve();
    expect(written()).toBe(`\r\u001b[K${'x'.repeat(19)}\r\u001b[K`);
  });

  it('has nobody to ask when input is no terminal, and draws nothing when output is none', () => {
    expect(Object.keys(setUp({ inputTty: false }).terminal)).toEqual(['draw']);
    expect(setUp({ outputTty: false }).terminal).toEqual({});
  });
});
