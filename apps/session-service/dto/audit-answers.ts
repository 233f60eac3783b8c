import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { HourlyCount, SecurityFeedEntry, SecurityFeedPage } from '#application';

const MILLISECONDS = {
  type: 'integer',
  description: 'Milliseconds since the epoch, reference time.',
} as const;

export class SecurityFeedEntryDoc implements SecurityFeedEntry {
  @ApiProperty()
  readonly eventId!: string;

  @ApiProperty({
    description:
      "The event's type: session.theft-detected, session.rotation-replayed, session.context-changed, scope.revoked.",
  })
  readonly kind!: string;

  @ApiProperty(MILLISECONDS)
  readonly at!: number;

  @ApiProperty()
  readonly position!: string;

  @ApiProperty({ description: 'Empty for a revocation of everyone.' })
  readonly tenant!: string;

  @ApiPropertyOptional()
  readonly sid?: string;

  @ApiPropertyOptional()
  readonly sub?: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What else the event says. No secrets, no personal data.',
  })
  readonly detail!: Record<string, unknown>;
}

export class SecurityFeedPageDoc implements SecurityFeedPage {
  @ApiProperty({ type: [SecurityFeedEntryDoc] })
  readonly entries!: SecurityFeedEntryDoc[];

  @ApiPropertyOptional({ description: 'Absent on the last page.' })
  readonly nextCursor?: string;
}

export class HourlyCountDoc implements HourlyCount {
  @ApiProperty({ type: 'integer', description: 'Begin of the hour (UTC), milliseconds since the epoch.' })
  readonly hour!: number;

  @ApiProperty({
    description:
      'created, rotated, replayed, theft-detected, mass-revoked, expired, or `revoked:` and a reason.',
  })
  readonly name!: string;

  @ApiProperty({ type: 'integer' })
  readonly count!: number;
}

export class CountersDoc {
  @ApiProperty({ type: [HourlyCountDoc] })
  readonly counts!: readonly HourlyCountDoc[];
}
