import {
  MASS_REVOCATION_SCOPES,
  type CallerReason,
  type Initiator,
  type MassRevocationScope,
} from '#contracts';
import { Choice, Line, Lines, QueryLines } from './fields.js';
import { InitiatorField, NAME, ReasonField, SID, TenantField } from './session.dto.js';

const SPARED = {
  ...SID,
  maxItems: 32,
  description: 'Sids of living sessions that are spared. One that is not alive refuses the whole call.',
};

/** Why a mass revocation is made. */
export class RevokeUserSessionsBody {
  @ReasonField()
  readonly reason?: CallerReason;

  @InitiatorField()
  readonly initiator?: Initiator;
}

export class RevokeUserSessionsQuery {
  @TenantField()
  readonly tenant?: string;

  @QueryLines(SPARED)
  readonly except?: string[];
}

export class MassRevocationBody extends RevokeUserSessionsBody {
  @Choice(MASS_REVOCATION_SCOPES, { required: true, description: 'What ends: every session of it.' })
  readonly scope!: MassRevocationScope;

  @Line({
    ...NAME,
    description: 'Needed only when the API key is bound to several tenants; not with `global`.',
  })
  readonly tenant?: string;

  @Line({ max: 255, description: 'The user; with `user`.' })
  readonly sub?: string;

  @Line({ ...NAME, description: 'The client; with `client`.' })
  readonly client?: string;

  @Lines(SPARED)
  readonly except?: string[];
}
