import { randomUUID } from 'node:crypto';
import { ANY, NO_STREAM } from '@kurrent/kurrentdb-client';
import type { KurrentConnection } from './kurrent-connection.js';

/** Event types that begin with it are Curfew's own and no part of the log. */
export const BOOKKEEPING_PREFIX = '~';

const WRITE_MS = 1_000;

/**
 * A stream of writes of nothing, which tell that the store still takes writes. Nothing is decided on it, so its appends expect
 * no revision. Only the newest events are kept.
 */
export class BookkeepingStream {
  private bounded = false;

  constructor(
    private readonly connection: KurrentConnection,
    private readonly stream: string,
    private readonly type: `${typeof BOOKKEEPING_PREFIX}${string}`,
  ) {}

  /** @param id of the event, a UUID. @throws CurfewError ERR_UNAVAILABLE */
  async append(id: string = randomUUID()): Promise<void> {
    await this.connection.call(WRITE_MS, (client) =>
      client.multiStreamAppend([
        {
          streamName: this.stream,
          expectedState: ANY,
          events: [{ id, type: this.type, contentType: 'application/json', data: {}, metadata: {} }],
        },
      ]),
    );
    if (!this.bounded) this.bound();
  }

  /** Once for the life of the stream; whoever comes later is refused. In the background: without it the stream only grows. */
  private bound(): void {
    this.bounded = true;
    const metadata = {
      id: randomUUID(),
      type: '$metadata',
      contentType: 'application/json' as const,
      data: { $maxCount: 1 },
      metadata: undefined,
    };
    this.connection
      .call(WRITE_MS, (client) =>
        client.appendToStream(`$$${this.stream}`, metadata, { streamState: NO_STREAM }),
      )
      .catch(() => undefined);
  }
}
