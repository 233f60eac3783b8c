import { levels } from 'pino';

/** One JSON line of the log as a line to read: time, level, message, then the fields. */
export function prettyLine(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const name = (levels.labels[Number(level)] ?? String(level)).toUpperCase().padEnd(5);
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [clock, name, typeof msg === 'string' ? msg : '', ...rest, ...stackOf(err)].join(' ') + '\n';
}

function stackOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const text = typeof stack === 'string' ? stack : message;
  return typeof text === 'string' ? [`\n${text}`] : [];
}
