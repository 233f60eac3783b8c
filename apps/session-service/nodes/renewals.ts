import { Inject, Injectable } from '@nestjs/common';
import {
  REVOCATION_STREAM,
  SESSION_SETTINGS,
  type Caller,
  type RevocationStream,
  type SessionSettings,
} from '#application';
import { HURRIED_RENEWAL_MS, NodeRegistry, RenewalDesk } from '#revocation-bus';
import type { RenewalBody } from '../dto/renewal.dto.js';

export interface RenewalAnswer {
  /** Decimal text of a 64-bit integer. */
  readonly barrier: string;
  readonly referenceTimeMs: number;
  readonly maxAccessTtlMs: number;
  readonly renewAfterMs: number;
  readonly streamId: string;
  readonly lanes: number;
  readonly tenants: readonly string[];
}

/** Renewals of nodes that get their revocations from Kafka (DESIGN §6): the same at both doors. */
@Injectable()
export class Renewals {
  constructor(
    private readonly desk: RenewalDesk,
    private readonly nodes: NodeRegistry,
    @Inject(REVOCATION_STREAM) private readonly stream: RevocationStream,
    @Inject(SESSION_SETTINGS) private readonly settings: Pick<SessionSettings, 'maxAccessTtl'>,
  ) {}

  /** @throws CurfewError ERR_UNAVAILABLE */
  async renew({ tenants }: Caller, renewal: RenewalBody): Promise<RenewalAnswer> {
    const { nodeId, boundMs = 0, appliedCursor = '' } = renewal;
    const node =
      nodeId === undefined
        ? undefined
        : this.nodes.introduce({ nodeId, tenants, boundMs, via: 'kafka' }, appliedCursor);
    const [{ barrier, renewAfterMs }, stream] = await Promise.all([this.desk.renew(), this.stream.current()]);
    return {
      barrier: barrier.n.toString(),
      referenceTimeMs: barrier.referenceTime,
      maxAccessTtlMs: this.settings.maxAccessTtl,
      renewAfterMs: node?.isAwaited ? HURRIED_RENEWAL_MS : renewAfterMs,
      streamId: stream?.streamId ?? '',
      lanes: stream?.lanes ?? 0,
      tenants,
    };
  }
}
