import { spawn } from 'node:child_process';

export interface CommandResult {
  /** null: killed, or not there at all. */
  readonly code: number | null;
  /** Standard output and error, as they came. */
  readonly output: string;
}

const MAX_OUTPUT = 200_000;

/** Runs a program to its end and never throws. @param within milliseconds, then SIGKILL */
export function runCommand(
  command: string,
  args: readonly string[],
  { within, cwd }: { within: number; cwd?: string },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: within,
      killSignal: 'SIGKILL',
      ...(cwd === undefined ? {} : { cwd }),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream
        .setEncoding('utf8')
        .on('data', (chunk: string) => (output = (output + chunk).slice(-MAX_OUTPUT)));
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** The last lines of an output, for an error message. */
export const tail = (output: string, lines = 20): string =>
  output.trim().split('\n').slice(-lines).join('\n');
