import { createInterface } from 'node:readline';
import type { Surroundings } from './surroundings.js';

/** What of a terminal is there. Questions and progress go to standard error: standard output is for answers. */
export function terminalOf(
  input: NodeJS.ReadableStream & { readonly isTTY?: boolean },
  output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
): Pick<Surroundings, 'ask' | 'draw'> {
  if (!output.isTTY) return {};
  const draw = (line: string) => {
    // A line that wraps could not be drawn over.
    output.write(`\r\u001b[K${line.slice(0, (output.columns ?? 80) - 1)}`);
  };
  if (!input.isTTY) return { draw };
  const ask = (question: string) =>
    new Promise<string>((resolve) => {
      const line = createInterface({ input, output });
      // Ctrl-C and Ctrl-D close it without an answer.
      line.on('close', () => resolve(''));
      line.question(question, (answer) => {
        resolve(answer);
        line.close();
      });
    });
  return { draw, ask };
}
