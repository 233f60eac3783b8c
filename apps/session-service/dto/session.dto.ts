import { CALLER_REASONS, INITIATORS, type CallerReason, type Initiator } from '#contracts';
import { AnyText, Choice, Claims, Integer, IpAddress, Line, Lines, Nested, UserAgent } from './fields.js';

/** Of a tenant or a client. */
export const NAME = {
  max: 64,
  pattern: /^[A-Za-z0-9._~-]+$/,
  accepts: '1 to 64 of the characters A-Z a-z 0-9 . _ ~ -',
};
export const SID = {
  min: 32,
  max: 32,
  pattern: /^[0-9a-f]{32}$/,
  accepts: '32 lower-case hexadecimal digits',
};
/** End of the year 9999 in seconds: whatever is beyond it is in the wrong unit. */
const MAX_SECONDS = 253_402_300_799;

export const TenantField = () =>
  Line({ ...NAME, description: 'Needed only when the API key is bound to several tenants.' });

export const ReasonField = () => Choice(CALLER_REASONS, { description: 'Why; `admin` if absent.' });
export const InitiatorField = () => Choice(INITIATORS, { description: 'Who wants it; `admin` if absent.' });

/** Where the request of the *user* came from. Personal data: sealed under the user's key from the first event on. */
export class DeviceBody {
  @Line({ max: 128, description: "The device's name, for device lists." })
  readonly name?: string;

  @UserAgent({ description: "The user's `User-Agent` header." })
  readonly userAgent?: string;

  @IpAddress({ description: "The user's address." })
  readonly ip?: string;

  @Line({ max: 128, description: 'Where the user seems to be.' })
  readonly place?: string;
}

export class CreateSessionBody {
  @Line({
    required: true,
    max: 255,
    description: 'The user: a pseudonym, 1 to 255 characters, without `@` unless the service allows it.',
    example: 'user-42',
  })
  readonly sub!: string;

  @TenantField()
  readonly tenant?: string;

  @Line({ ...NAME, description: 'The application that the user signs in to; `default` if absent.' })
  readonly client?: string;

  @Nested(() => DeviceBody, { description: 'Device and network of the user.' })
  readonly device?: DeviceBody;

  @Lines({ maxItems: 64, max: 64, description: 'Roles of the user; they appear in access tokens.' })
  readonly roles?: string[];

  @Line({ max: 128, description: 'Authentication context class (`acr`).' })
  readonly acr?: string;

  @Lines({ maxItems: 16, max: 64, description: 'Authentication methods (`amr`, RFC 8176).' })
  readonly amr?: string[];

  @Integer({
    min: 0,
    max: MAX_SECONDS,
    description: 'When the user authenticated, seconds since the epoch; the time of the call if absent.',
  })
  readonly authTime?: number;

  @Claims({ description: 'Custom claims. They appear in access tokens under the one name `claims`.' })
  readonly claims?: Record<string, unknown>;

  @Line({
    ...SID,
    description:
      'A session of the same tenant that this one takes the place of: ended in the same append. Needs sessions:revoke.',
  })
  readonly replaces?: string;
}

export class RefreshSessionBody {
  @AnyText({ required: true, description: 'The refresh token, `cfr_…`.' })
  readonly refreshToken!: string;

  @Nested(() => DeviceBody, { description: 'Device and network of the user.' })
  readonly device?: DeviceBody;
}

export class RevokeSessionBody {
  @ReasonField()
  readonly reason?: CallerReason;

  @InitiatorField()
  readonly initiator?: Initiator;

  @Line({ max: 500, description: 'For the record. Personal data: sealed.' })
  readonly note?: string;
}

export class IntrospectForm {
  @AnyText({ required: true, description: 'The access token.' })
  readonly token!: string;
}

export class TenantQuery {
  @TenantField()
  readonly tenant?: string;
}
