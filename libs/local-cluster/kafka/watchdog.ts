import { spawn, type ChildProcess } from 'node:child_process';

/**
 * A shell that reads which brokers run. Its input closes when this process ends, however that happens: then it kills what
 * still runs and removes the data. A broker is never the child of nobody.
 */
const SCRIPT = `
pids=
while read -r word pid; do
  case $word in
    began) pids="$pids $pid" ;;
    ended) left=; for p in $pids; do [ "$p" = "$pid" ] || left="$left $p"; done; pids=$left ;;
  esac
done
for p in $pids; do kill -9 "$p" 2>/dev/null; done
[ -z "$pids" ] || sleep 0.3
rm -rf -- "$1"`;

export class Watchdog {
  private readonly shell: ChildProcess;

  /** @param folder removed when this process ends, or at `release` */
  constructor(folder: string) {
    // A session of its own: Ctrl-C at the terminal must not end it before its work.
    this.shell = spawn('sh', ['-c', SCRIPT, 'sh', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.shell.on('error', () => undefined);
    this.shell.stdin?.on('error', () => undefined);
    this.shell.unref();
    (this.shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  began(pid: number): void {
    this.shell.stdin?.write(`began ${pid}\n`);
  }

  ended(pid: number): void {
    this.shell.stdin?.write(`ended ${pid}\n`);
  }

  /** Resolves when the folder is gone. */
  release(): Promise<void> {
    if (this.shell.pid === undefined || this.shell.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.shell.ref();
      this.shell.once('exit', () => resolve());
      this.shell.stdin?.end();
    });
  }
}
