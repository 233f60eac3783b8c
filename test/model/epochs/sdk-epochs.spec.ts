import { describe, expect, it } from '@jest/globals';
import type { TokenSession } from '#application';
import type { RevocationMessage } from '#contracts';
import type { MethodDefinition } from '@grpc/proto-loader';
import { loadProtos } from '#watch-door';
import { print } from '../../../libs/revocation-bus/model/effort.js';
import { DESIGN, type EpochNode } from '../../../libs/revocation-bus/model/epochs/rules.js';
import { RUNS, search, SEED, TIMEOUT_MS } from '../../../libs/revocation-bus/model/epochs/schedules.js';
import { DenyList } from '../../../libs/sdk/core/deny-list.js';
import type { Session } from '../../../libs/sdk/core/curfew.types.js';
import { decodeWatchResponse } from '../../../libs/sdk/watch/protobuf.js';

const service = loadProtos()['curfew.v1.RevocationService'] as unknown as Record<
  string,
  MethodDefinition<object, object>
>;

/** What the door sends, read and judged by the SDK's own code. */
class SdkNode implements EpochNode {
  private readonly denied = new DenyList(1_000, '*');

  receive(message: RevocationMessage): void {
    const bytes = service['Watch']!.responseSerialize({ revocation: message });
    const { revocation } = decodeWatchResponse(bytes);
    if (!revocation || !this.denied.add(revocation)) throw new Error('the SDK cannot read the message');
  }

  refuses({ client: clientId, ep, ...ids }: TokenSession): boolean {
    // Of a session it looks at no more than this.
    return this.denied.has({ ...ids, clientId, claims: { ep } } as unknown as Session);
  }
}

/** Used wrongly: it gets mass revocations only once. */
class DeafNode extends SdkNode {
  private readonly scopes = new Set<string>();

  override receive(message: RevocationMessage): void {
    if (message.scope === 'session') return super.receive(message);
    const scope = JSON.stringify([message.scope, message.sub, message.client]);
    if (!this.scopes.has(scope)) super.receive(message);
    this.scopes.add(scope);
  }
}

describe("G5: epochs, modelled with the SDK's own deny-list", () => {
  it(
    'G5: a node refuses exactly what the mass revocations that it got have ended, in any order',
    () => {
      const { failed, counterexample, errorInstance, numRuns } = search(
        { ...DESIGN, newNode: () => new SdkNode() },
        Math.ceil(RUNS / 4),
      );
      print(`epochs model, SDK deny-list: seed ${SEED}: ${numRuns} schedules`);
      expect(failed ? { error: String(errorInstance), counterexample } : null).toBeNull();
    },
    TIMEOUT_MS,
  );

  it(
    'G5: the model refutes a node that keeps the first message of a scope',
    () => {
      const { errorInstance } = search({ ...DESIGN, newNode: () => new DeafNode() }, RUNS);
      expect(String(errorInstance)).toMatch(/a node (accepts an ended|refuses a living) session/);
    },
    TIMEOUT_MS,
  );
});
