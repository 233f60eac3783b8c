import type { Position } from '#application';
import { CurfewError } from '#contracts';
import type { DedicatedConnection } from '#platform';
import type { Lane, Outcome } from '../group-commit.js';
import { batchOutcomes, encodeBatch, type BatchResult, type EncodedAppend } from './append-batch.js';

/** A lane that writes its batches over a connection of its own, one statement each. */
export function writerLane(connection: DedicatedConnection): Lane<EncodedAppend, Position> {
  const statement = async (batch: readonly EncodedAppend[]): Promise<Outcome<Position>[]> => {
    const { rows } = await connection.durable<{ result: BatchResult }>({
      name: 'append-batch',
      text: 'select curfew.append_batch($1::jsonb) as result',
      values: [encodeBatch(batch)],
    });
    if (rows[0] === undefined) throw new Error('append_batch returned nothing');
    return batchOutcomes(batch, rows[0].result);
  };

  const write = async (batch: readonly EncodedAppend[]): Promise<Outcome<Position>[]> => {
    try {
      return await statement(batch);
    } catch (error) {
      if (error instanceof CurfewError || batch.length === 1) {
        return batch.map(() => ({ error: withoutContent(error) }));
      }
      // The statement was rolled back because of one member: only that one shall fail.
      const outcomes: Outcome<Position>[] = [];
      for (const append of batch) outcomes.push(...(await write([append])));
      return outcomes;
    }
  };
  return write;
}

/** PostgreSQL quotes the offending value in its messages; events may hold what no log should show. */
function withoutContent(error: unknown): Error {
  if (error instanceof CurfewError) return error;
  const { code, constraint } = error as { code?: string; constraint?: string };
  return new Error(`PostgreSQL refused the append: SQLSTATE ${code ?? 'unknown'} ${constraint ?? ''}`.trim());
}
