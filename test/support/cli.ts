import { execFile } from 'node:child_process';
import { built, type Service } from '#local-cluster';

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the built `curfew` on a service, without a terminal, with its first API key. */
export function runCli({ http, apiKey }: Service, ...args: readonly string[]): Promise<CliRun> {
  const env = { PATH: process.env['PATH'], CURFEW_URL: http, CURFEW_API_KEY: apiKey };
  return new Promise((resolve) => {
    execFile(process.execPath, [built('apps/cli/main.js'), ...args], { env }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ code, out, err });
    });
  });
}
