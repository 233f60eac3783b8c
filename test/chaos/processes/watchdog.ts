import { readFileSync, rmSync } from 'node:fs';

/**
 * Ends what the driver has started, should the driver die: its stdin ends then. Lines: `+pid`, `-pid`, `folder path`, and `bye`
 * for an orderly end. Stopped processes notice nothing by themselves, and PostgreSQL's are in sessions of their own.
 */
const pids = new Set<number>();
const folders = new Set<string>();
let orderly = false;

function withChildren(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return [pid, ...children.filter(Boolean).flatMap((child) => withChildren(Number(child)))];
  } catch {
    return [pid];
  }
}

function hear(line: string): void {
  if (line.startsWith('+')) pids.add(Number(line.slice(1)));
  else if (line.startsWith('-')) pids.delete(Number(line.slice(1)));
  else if (line.startsWith('folder ')) folders.add(line.slice(7));
  else if (line === 'bye') orderly = true;
}

let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  lines.forEach(hear);
});
process.stdin.on('end', () => {
  if (orderly) process.exit(0);
  for (const pid of [...pids].flatMap(withChildren)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  // What was killed may hold its files for a moment.
  setTimeout(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  }, 1_000);
});
// Ctrl-C reaches the whole group: the driver's end is what counts.
process.on('SIGINT', () => undefined);
