import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ProjectionName, ProjectionRebuild, ProjectionState, ProjectionStatus } from '#application';

const NAMES = ['sessions', 'security-feed', 'counters'] as const satisfies readonly ProjectionName[];
const STATES = ['live', 'paused'] as const satisfies readonly ProjectionState[];

type Failure = NonNullable<ProjectionStatus['failure']>;

class ProjectionFailureDoc implements Failure {
  @ApiProperty()
  readonly position!: string;

  @ApiProperty()
  readonly eventId!: string;

  @ApiProperty()
  readonly eventType!: string;

  @ApiProperty({ description: 'The class of the error.' })
  readonly error!: string;
}

class ProjectionRebuildDoc implements ProjectionRebuild {
  @ApiProperty({ type: 'integer' })
  readonly version!: number;

  @ApiProperty({ enum: ['building', 'failed'] })
  readonly state!: 'building' | 'failed';

  @ApiProperty({ type: 'integer' })
  readonly eventsDone!: number;

  @ApiProperty({ type: 'integer', description: 'Events of the log when it began and since, by estimate.' })
  readonly eventsTotal!: number;

  @ApiPropertyOptional()
  readonly error?: string;
}

export class ProjectionDoc implements ProjectionStatus {
  @ApiProperty({ enum: NAMES })
  readonly name!: ProjectionName;

  @ApiProperty({
    enum: STATES,
    description: '`paused`: an event could not be applied, and none is skipped. Mend the cause, then resume.',
  })
  readonly state!: ProjectionState;

  @ApiProperty({ description: "Updated in the append's own statement: never behind." })
  readonly inline!: boolean;

  @ApiProperty({ type: 'integer', description: 'Grows with every rebuild.' })
  readonly version!: number;

  @ApiProperty({ description: 'What it has taken in; empty before the first event.' })
  readonly position!: string;

  @ApiProperty({
    type: 'integer',
    description:
      'Milliseconds between the newest event of the log and the newest taken in; 0 when caught up.',
  })
  readonly lagMs!: number;

  @ApiProperty({ type: 'integer', description: 'Events not yet taken in; counted up to 100,000.' })
  readonly lagEvents!: number;

  @ApiPropertyOptional({ type: () => ProjectionFailureDoc, description: 'Why it is paused.' })
  readonly failure?: ProjectionFailureDoc;

  @ApiPropertyOptional({ type: () => ProjectionRebuildDoc, description: 'A rebuild under way.' })
  readonly rebuild?: ProjectionRebuildDoc;
}

export class ProjectionsDoc {
  @ApiProperty({ type: [ProjectionDoc] })
  readonly projections!: readonly ProjectionDoc[];
}
