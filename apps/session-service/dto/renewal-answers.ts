import { ApiProperty } from '@nestjs/swagger';
import type { RenewalAnswer } from '../nodes/renewals.js';

const MILLISECONDS = {
  type: 'integer',
  description: 'Milliseconds since the epoch, reference time.',
} as const;

export class RenewalDoc implements RenewalAnswer {
  @ApiProperty({
    description: 'A barrier that began after the call arrived: decimal text of a 64-bit integer.',
    example: '48211',
  })
  readonly barrier!: string;

  @ApiProperty(MILLISECONDS)
  readonly referenceTimeMs!: number;

  @ApiProperty({ type: 'integer', description: 'Refuse a token with an `exp - iat` above it.' })
  readonly maxAccessTtlMs!: number;

  @ApiProperty({ type: 'integer', description: 'When to send the next renewal, jitter included.' })
  readonly renewAfterMs!: number;

  @ApiProperty({ description: 'The stream that heartbeats must name. Empty: nothing is published to Kafka.' })
  readonly streamId!: string;

  @ApiProperty({ type: 'integer', description: 'Lanes of that stream.' })
  readonly lanes!: number;

  @ApiProperty({ type: [String], description: 'Tenants of the API key; `*` stands for all.' })
  readonly tenants!: string[];
}
