import { spawn, type ChildProcess } from 'node:child_process';
import { built } from '#local-cluster';

/** Sees to it that nothing outlives this process, even if it is killed. */
export class Watchdog {
  private constructor(private readonly process: ChildProcess) {}

  static start(): Watchdog {
    const child = spawn(process.execPath, [built('test/chaos/processes/watchdog.js')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    child.unref();
    child.stdin.on('error', () => undefined);
    return new Watchdog(child);
  }

  watch(pid: number): void {
    this.tell(`+${pid}`);
  }

  /** It has ended: its number may become another's. */
  unwatch(pid: number): void {
    this.tell(`-${pid}`);
  }

  /** Removed if this process dies. */
  folder(path: string): void {
    this.tell(`folder ${path}`);
  }

  /** Everything was ended in order. */
  dismiss(): void {
    this.tell('bye');
    this.process.stdin?.end();
  }

  private tell(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }
}
