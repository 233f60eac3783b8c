import type { ConnectionOptions } from './connection.js';

/** What a command has around it: the process in earnest, anything in a test. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A text of one or more lines on standard output. */
  readonly print: (text: string) => void;
  /** The same on standard error. */
  readonly complain: (text: string) => void;
  /** Asks the person at the terminal; answers '' when they leave. Absent when nobody is there. */
  readonly ask?: (question: string) => Promise<string>;
  /** Draws one line over the one that it drew before; '' wipes it out. Absent when nobody sees it. */
  readonly draw?: (line: string) => void;
  /** Calls back at Ctrl-C, which then does not end the process. @returns what ends that */
  readonly onInterrupt?: (callback: () => void) => () => void;
  /** Between two looks at something that takes its time; 500 unless set. */
  readonly pollMs?: number;
}

/** Options of every command. */
export interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** Prints an answer as it came, or for people. */
export function show(
  { print }: Surroundings,
  { json }: GlobalOptions,
  answer: unknown,
  text: () => string,
): void {
  print(json ? JSON.stringify(answer, null, 2) : text());
}
