import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { projectRoot } from '#local-cluster';

const SCRIPT = 'docs/reference/revocation-stream/consumer.py';

function answers(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What the consumer of the contract page needs and this machine does not have. */
export const missingForPageConsumer = [
  ...(answers('python3', '--version') ? [] : ['python3']),
  ...(answers('kcat', '-V') ? [] : ['kcat']),
];

export type Decision = 'accepts' | 'refuses' | 'has no lease';

export interface PageConsumerOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly service: string;
  readonly apiKey: string;
  readonly boundMs?: number;
}

/** The consumer of docs/reference/revocation-stream: Python and kcat, nothing of ours. */
export class PageConsumer {
  private readonly waiting: ((decision: Decision) => void)[] = [];

  private constructor(private readonly process: ChildProcessByStdio<Writable, Readable, null>) {
    createInterface({ input: process.stdout }).on('line', (line) => {
      const { accept } = JSON.parse(line) as { accept: boolean | null };
      this.waiting.shift()?.(accept === null ? 'has no lease' : accept ? 'accepts' : 'refuses');
    });
  }

  static start({ brokers, topic, service, apiKey, boundMs = 2_000 }: PageConsumerOptions): PageConsumer {
    const args = ['--brokers', brokers.join(','), '--topic', topic, '--service', service];
    return new PageConsumer(
      spawn('python3', ['-B', join(projectRoot(), SCRIPT), ...args, '--bound-ms', String(boundMs)], {
        env: { ...process.env, CURFEW_API_KEY: apiKey },
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
  }

  /** @param token its signature is taken for checked */
  decide(token: string): Promise<Decision> {
    const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.process.stdin.write(`${claims}\n`);
    });
  }

  async stop(): Promise<void> {
    const exit = once(this.process, 'exit');
    this.process.stdin.end();
    await exit;
  }
}
