import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from './service.js';

const FOLDER = join(projectRoot(), 'docker');
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const composeFiles = readdirSync(FOLDER).filter((name) => /^compose\..*yaml$/.test(name));

/** The entries of every `ports:` list, in the short form that these files use. */
function publishedPorts(yaml: string): string[] {
  const lists = yaml.matchAll(/^( *)ports:(.*)\n((?:\1 +- .*\n)*)/gm);
  return [...lists].flatMap(([, , inline = '', items = '']) => [
    ...(inline.trim() === '' ? [] : [inline.trim()]),
    ...items
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim().replace(/^- /, '').replace(/['"]/g, '')),
  ]);
}

describe.each(composeFiles)('docker/%s', (file) => {
  const yaml = read(file);

  it('publishes its ports on loopback alone', () => {
    const ports = publishedPorts(yaml);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(yaml).not.toMatch(/network_mode|published:/);
  });

  it('names the version of every image that it does not build', () => {
    for (const [, image = ''] of yaml.matchAll(/^ *image: ([a-z].*)$/gm)) expect(image).toMatch(/:\d/);
  });

  it('holds no password', () => {
    for (const [, value = ''] of yaml.matchAll(/(?:PASSWORD|MASTER_KEY): (.*)$/gm))
      expect(value).toMatch(/^\$\{\w+:\?/);
  });
});

describe('docker/Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const argumentOf = (instruction: string): string | undefined =>
    last.find((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1);

  it('runs the service as a user without rights, with no npm in between', () => {
    expect(argumentOf('USER')).toBe('node');
    expect(last.findIndex((line) => line.startsWith('USER '))).toBeLessThan(
      last.findIndex((line) => line.startsWith('CMD ')),
    );
    expect(argumentOf('CMD')).toBe('["node", "dist/apps/session-service/main.js"]');
  });

  it('says whether the service answers', () => {
    expect(argumentOf('HEALTHCHECK')).toMatch(/CMD \["node", "healthcheck\.mjs"\]$/);
    expect(last).toContain('COPY docker/healthcheck.mjs ./');
  });

  it('is built on a named version', () => {
    const bases = lines.filter((line) => line.startsWith('FROM '));
    expect(bases).toHaveLength(3);
    for (const base of bases) expect(base).toMatch(/^FROM node:\d+-\w+-slim( AS \w+)?$/);
  });
});
