import { oneOf, type Stage } from './fault.js';
import type { Proxy } from './proxy.js';

const WAYS: readonly ((path: Proxy) => void)[] = [
  (path) => path.cut(),
  (path) => path.blackHole(),
  (path) => path.blackHole('up'),
  (path) => path.blackHole('down'),
];

/** Breaks all paths in one way, drawn by the seed. Returns what heals them. */
export function breakPaths(stage: Stage, paths: readonly Proxy[]): Promise<() => Promise<void>> {
  const way = oneOf(stage, WAYS);
  paths.forEach(way);
  return Promise.resolve(() => {
    for (const path of paths) path.heal();
    return Promise.resolve();
  });
}
