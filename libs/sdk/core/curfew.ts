import { dialGrpc } from '../watch/grpc-call.js';
import { systemClocks } from './clocks.js';
import type { Curfew, CurfewOptions } from './curfew.types.js';
import { CurfewNode, type Outside } from './node.js';
import { checkOptions } from './options.js';

/** What a node needs of the world around it; tests and benchmarks bring their own. Not part of the public interface. */
export function createCurfewWith(options: CurfewOptions, outside: Partial<Outside>): Curfew {
  return new CurfewNode(checkOptions(options), {
    clocks: systemClocks,
    fetch: globalThis.fetch,
    dial: dialGrpc,
    ...outside,
  });
}

/**
 * Starts the SDK of this process: one per process and set of tokens, not one per request. It connects at once and keeps no
 * process alive.
 * @throws CurfewSdkError ERR_CONFIG, `field` names the option.
 */
export function createCurfew(options: CurfewOptions): Curfew {
  return createCurfewWith(options, {});
}
