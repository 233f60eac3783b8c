import { spawn, type ChildProcess } from 'node:child_process';

export interface ChildOptions {
  /** The script and its arguments; run with this process's Node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told each line that the child writes to stderr or stdout. */
  readonly onLine?: (line: string) => void;
  /** How long it may take to say that it is ready, ms. 60,000 if absent. */
  readonly readyWithin?: number;
}

const TERMINATION_PATIENCE_MS = 15_000;

/** A child process that says `process.send({ ready: … })` once it serves. */
export class Child<Ready> {
  private constructor(
    private readonly process: ChildProcess,
    /** What the child sent with `ready`. */
    readonly ready: Ready,
  ) {}

  /** @throws Error with the last lines of the child when it ends or is silent for too long. */
  static async start<Ready>(options: ChildOptions): Promise<Child<Ready>> {
    const child = spawn(process.execPath, [...options.args], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const tail: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      forEachLine(stream, (line) => {
        options.onLine?.(line);
        tail.push(line);
        if (tail.length > 20) tail.shift();
      });
    }
    try {
      return new Child<Ready>(child, await readyMessage<Ready>(child, options.readyWithin ?? 60_000));
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${options.args[0] ?? ''}: ${(error as Error).message}\n${tail.join('\n')}`, {
        cause: error,
      });
    }
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error('the child has no pid');
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Sends a signal and does not wait (SIGSTOP, SIGCONT, SIGKILL). */
  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Over IPC; what cannot be delivered is dropped. */
  send(message: object): void {
    if (this.process.connected) this.process.send(message, () => undefined);
  }

  /** Told everything that the child sends from now on. */
  onMessage(listener: (message: unknown) => void): void {
    this.process.on('message', listener);
  }

  /** SIGTERM, then SIGKILL after 15 s. @returns the exit code; null if it took a signal. */
  async stop(): Promise<number | null> {
    const ended = this.ended();
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), TERMINATION_PATIENCE_MS);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  /** Resolves when it has ended. */
  ended(): Promise<number | null> {
    if (!this.running) return Promise.resolve(this.process.exitCode);
    return new Promise((resolve) => this.process.once('exit', (code) => resolve(code)));
  }
}

function readyMessage<Ready>(child: ChildProcess, within: number): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`not ready after ${within} ms`)), within);
    child.once('error', fail);
    child.once('exit', (code, signal) => fail(new Error(`ended with ${code ?? signal ?? 'nothing'}`)));
    child.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('ready' in message)) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve(message.ready as Ready);
    });
  });
}

function forEachLine(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.filter((line) => line.trim() !== '').forEach(onLine);
  });
}
