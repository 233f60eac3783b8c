import { ApiProperty } from '@nestjs/swagger';
import {
  NODE_STATES,
  NODE_WAYS,
  type NodeReceipt,
  type NodeState,
  type NodeWay,
  type Receipt,
} from '#contracts';

const MILLISECONDS = {
  type: 'integer',
  description: 'Milliseconds since the epoch, reference time.',
} as const;

class NodeReceiptDoc implements NodeReceipt {
  @ApiProperty()
  readonly nodeId!: string;

  @ApiProperty({
    enum: NODE_STATES,
    description:
      '`applied`: its lease began after the append. `bounded`: silent, and its bound is over, so it refuses or has applied it (G2). `outstanding`: neither yet.',
  })
  readonly state!: NodeState;

  @ApiProperty({ enum: NODE_WAYS })
  readonly via!: NodeWay;

  @ApiProperty({ type: 'integer', description: 'Its staleness bound, milliseconds; 0 if it did not say.' })
  readonly boundMs!: number;

  @ApiProperty({ ...MILLISECONDS, description: 'When it last reported: milliseconds, reference time.' })
  readonly lastReportMs!: number;
}

export class ReceiptDoc implements Receipt {
  @ApiProperty()
  readonly id!: string;

  @ApiProperty({ enum: ['session', 'user', 'client', 'tenant', 'global'] })
  readonly scope!: string;

  @ApiProperty()
  readonly position!: string;

  @ApiProperty(MILLISECONDS)
  readonly recordedAtMs!: number;

  @ApiProperty({ description: 'True when no node is outstanding.' })
  readonly complete!: boolean;

  @ApiProperty({ type: [NodeReceiptDoc] })
  readonly nodes!: NodeReceiptDoc[];
}
