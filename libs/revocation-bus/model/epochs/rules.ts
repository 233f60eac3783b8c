import type { TokenSession } from '#application';
import type { RevocationMessage } from '#contracts';
import {
  decideRefresh,
  decideRevokeScope,
  type PerScope,
  type Refresh,
  type RefreshDecision,
  type RevokeScope,
  type RevokeScopeDecision,
  type ScopeState,
  type SessionState,
} from '#domain';
import { RevocationMemory } from '../../revocation-memory.js';

/** Something that hears revocations and judges tokens by them. */
export interface EpochNode {
  receive(message: RevocationMessage): void;
  refuses(token: TokenSession): boolean;
}

/** What the model runs on. `DESIGN` is the real code; mutations replace one part of it. */
export interface EpochRules {
  /** @param now the scopes as they are at this instant, which the design does not look at */
  refresh(state: SessionState, command: Refresh, now: () => PerScope<ScopeState>): RefreshDecision;
  revokeScope(state: ScopeState, command: RevokeScope): RevokeScopeDecision;
  /** Whether a mass revocation is appended at the revision that it was decided on. */
  readonly expectsRevision: boolean;
  newNode(): EpochNode;
}

/** The instance's own memory. */
export class InstanceNode implements EpochNode {
  private readonly memory = new RevocationMemory(0);

  receive(message: RevocationMessage): void {
    this.memory.add(message, message.position);
  }

  refuses(token: TokenSession): boolean {
    return this.memory.isRevoked(token);
  }
}

export const DESIGN: EpochRules = {
  refresh: decideRefresh,
  revokeScope: decideRevokeScope,
  expectsRevision: true,
  newNode: () => new InstanceNode(),
};
