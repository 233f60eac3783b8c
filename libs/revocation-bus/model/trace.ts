import { CALL_STRIDE } from './enabled.js';
import type { CounterExample } from './random-search.js';
import type { Action, ActionKind, Scope } from './scope.js';

type Words = (who: number, what: number, scope: Scope) => string;

const process = (index: number, { nodes }: Scope): string =>
  index < nodes ? `node ${index}` : `instance ${index - nodes}`;

const WORDS: Record<ActionKind, Words> = {
  tick: (_, ticks) => `${ticks} ticks pass`,
  revoke: (server, rev) => `server ${server}: the revoke of session ${rev} takes its transaction id`,
  commit: (server, rev) => `server ${server}: the revoke of session ${rev} commits`,
  return: (_, rev) => `the revoke call of session ${rev} RETURNS`,
  abort: (server) => `server ${server}: some transaction takes an id and rolls back`,
  'fail-over': () => 'the standby becomes primary; the old server goes on without knowing',
  'crash-store': () => 'the primary is killed and recovers',
  'reconnect-store': (instance, server) => `instance ${instance}: connects to server ${server}`,
  'begin-barrier': (instance) => `instance ${instance}: begins a barrier for the renewals that wait`,
  'write-barrier': (instance) => `instance ${instance}: writes the barrier`,
  'read-barrier': (instance, server) => `instance ${instance}: reads server ${server} behind the barrier`,
  poll: (instance) => `instance ${instance}: reads without a barrier`,
  queue: (instance, reader) => `instance ${instance}: reader ${reader} queues what it read`,
  'restart-instance': (instance) => `instance ${instance}: restarts`,
  connect: (node, instance) => `node ${node}: opens a stream to instance ${instance} from its cursor`,
  cut: (node) => `node ${node}: its stream is cut, what was under way is lost`,
  attach: (node) => `node ${node}: its stream gets live rows from now on`,
  'deliver-request': (node) => `node ${node}: its next request reaches the instance`,
  'deliver-answer': (node) => `node ${node}: the next answer reaches it`,
  'deliver-old-answer': (node) => `node ${node}: the next answer of its old stream reaches it`,
  renew: (node) => `node ${node}: notes m0 and sends a renewal`,
  'restart-node': (node) => `node ${node}: restarts`,
  check: (node, rev) => `node ${node}: first check of a decision on session ${rev}`,
  decide: (node) => `node ${node}: second check`,
  introspect: (node, what) =>
    `node ${node}: notes m0, introspects session ${what % CALL_STRIDE} at instance ${Math.floor(what / CALL_STRIDE)}`,
  'introspection-read': (node, server) =>
    `introspection for node ${node}: the instance reads the stream on server ${server}`,
  'introspection-answer': (node) => `introspection for node ${node}: the instance answers`,
  'introspection-receive': (node) => `introspection for node ${node}: the answer arrives`,
  sleep: (index, _, scope) => `${process(index, scope)}: suspended, its monotonic clock stands still`,
  wake: (index, _, scope) => `${process(index, scope)}: runs again`,
  'step-wall': (index, by, scope) => `${process(index, scope)}: its wall clock steps by ${by}`,
};

/** A counter-example in words, one action a line, each with the true time at which it happens. */
export function describeExample({ actions, violation }: CounterExample, scope: Scope): string {
  let time = 0;
  const line = ({ kind, who, what }: Action): string => {
    const at = time;
    if (kind === 'tick') time += what;
    return `  t=${at} ${WORDS[kind](who, what, scope)}`;
  };
  const lines = actions.map(line);
  const { node, rev, returnedAt, acceptedAt, ahead } = violation;
  if (ahead > 0) lines.push(`  t=${time} ${ahead} ticks pass, nothing else happens`);
  lines.push(
    `  t=${acceptedAt} node ${node} ACCEPTS session ${rev}, whose revoke returned at t=${returnedAt}; B = ${scope.bound}`,
  );
  return lines.join('\n');
}
