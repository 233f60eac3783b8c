import pino, { type DestinationStream, type Logger } from 'pino';
import { prettyLine } from './pretty-line.js';
import { redactFields, redactText } from './redaction.js';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** `json`: one object a line. `pretty`: to read at a terminal. */
  readonly format: 'json' | 'pretty';
  /** Standard output unless set. Written synchronously: the last line before an exit is not lost. */
  readonly destination?: { write(line: string): unknown };
}

/**
 * A logger that shows no secret: fields that are secret by name (`authorization`, `cookie`, `…token`, `…secret`, …) at any
 * depth, and tokens, API keys and passwords of URLs wherever they stand in a line. Put errors in `err`.
 */
export function createLogger({ level, format, destination = standardOutput() }: LoggerOptions): Logger {
  const stream: DestinationStream = {
    write: (line) => {
      const clean = redactText(line);
      destination.write(format === 'pretty' ? prettyLine(clean) : clean);
    },
  };
  return pino(
    {
      level,
      base: null,
      formatters: { log: (fields) => redactFields(fields) as Record<string, unknown> },
      // `redactFields` has described the error already; pino's own serializer would copy every property.
      serializers: { err: (error: unknown) => (error instanceof Error ? redactFields(error) : error) },
    },
    stream,
  );
}

/** A reader that goes away (`| head`) ends the log, not the service. */
const standardOutput = (): DestinationStream =>
  pino.destination({ dest: 1, sync: true }).on('error', () => undefined);
