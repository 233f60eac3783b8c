import { spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { built } from '#local-cluster';

interface Report {
  readonly ok: boolean;
  readonly nodes: number;
  readonly steps: readonly { readonly name: string; readonly ok: boolean; readonly ms: number }[];
}

const demo = (...args: string[]): Promise<{ code: number | null; stdout: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [built('apps/demo/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.once('exit', (code) => resolve({ code, stdout }));
  });

describe('the demo', () => {
  it('plays the whole main job, prints one JSON document and ends with 0', async () => {
    const { code, stdout } = await demo('--json', '--nodes', '2');
    const report = JSON.parse(stdout) as Report;
    expect({ code, ok: report.ok, nodes: report.nodes }).toEqual({ code: 0, ok: true, nodes: 2 });
    expect(report.steps.map(({ name }) => name)).toEqual([
      'login on two devices',
      'verified on every node',
      'rotation',
      'a lost response, retried',
      'a stolen old token is presented',
      'the stolen session is gone for good',
      'device list',
      'sign out',
      'sign out everywhere but here',
    ]);
    for (const { ms } of report.steps) expect(ms).toBeGreaterThan(0);
  });

  it('says how it is used and ends with 2 when it is asked for nonsense', async () => {
    const { code, stdout } = await demo('--nodes', '0');
    expect(code).toBe(2);
    expect(stdout).toContain('--nodes N');
  });
});
