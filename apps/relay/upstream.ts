import { Client, credentials, Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { CurfewError, MASS_REVOCATION_SCOPES, type RevocationMessage } from '#contracts';
import type { OpenUpstream, Renewed } from '#revocation-bus';
import { loadProtos } from '#watch-door';

/** As grpc-js decodes them: what has its default is absent. */
interface WatchAnswer {
  readonly revocation?: Partial<Record<keyof RevocationMessage, unknown>>;
  readonly renewed?: { readonly [Field in keyof Renewed]?: string | number };
}

/** The answer to a unary renewal, as it came. */
export interface RenewAnswer {
  readonly tenants?: readonly string[];
}

type Methods = Readonly<{
  Watch: MethodDefinition<object, WatchAnswer>;
  Renew: MethodDefinition<object, RenewAnswer>;
}>;

export interface UpstreamOptions {
  readonly upstream: readonly string[];
  readonly apiKey: string;
  readonly nodeId: string;
  readonly nodes: () => {
    /** How long one of the nodes behind us may accept after we have fallen silent, ms. */
    readonly bound: number;
    /** Id of the newest renewal of ours whose answer every one of them has applied; 0: none. */
    applied(): number;
  };
}

const MAX_MESSAGE_BYTES = 1 << 20;
const RENEW_DEADLINE_MS = 1_500;
const { Watch, Renew } = loadProtos()['curfew.v1.RevocationService'] as unknown as Methods;

function connect(url: string): Client {
  const { protocol, host } = new URL(url);
  const port = new URL(url).port === '' ? (protocol === 'https:' ? ':443' : ':80') : '';
  return new Client(
    `${host}${port}`,
    protocol === 'https:' ? credentials.createSsl() : credentials.createInsecure(),
    {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      // A new stream is a new connection: the back-off of one that failed before must not hold it up.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_channelz': 0,
    },
  );
}

const bearer = (authorization: string): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', authorization);
  return metadata;
};

/** @throws Error for what cannot be passed on: to pass it over would let a revoked session live (G2) */
function toRevocation(given: NonNullable<WatchAnswer['revocation']>): RevocationMessage {
  const { scope } = given;
  const isMass = (MASS_REVOCATION_SCOPES as readonly unknown[]).includes(scope);
  const text = { tenant: '', sub: '', reason: '', initiator: '', position: '' };
  const complete = isMass
    ? { ...text, client: '', epoch: 0, excepted: {}, ...given }
    : { ...text, sid: '', ...given };
  const known = isMass ? 'revocationId' in given && 'epoch' in given : scope === 'session' && 'sid' in given;
  if (!known) throw new Error('a revocation that this version cannot read');
  return Object.freeze(complete) as unknown as RevocationMessage;
}

const toRenewed = (given: NonNullable<WatchAnswer['renewed']>): Renewed => ({
  id: String(given.id ?? '0'),
  cursor: String(given.cursor ?? ''),
  referenceTimeMs: Number(given.referenceTimeMs ?? 0),
  maxAccessTtlMs: Number(given.maxAccessTtlMs ?? 0),
  renewAfterMs: Number(given.renewAfterMs ?? 0),
  ageMs: Number(given.ageMs ?? 0),
});

/** Opens Watch streams at the upstream's addresses in turn, each on a connection of its own. */
export const openUpstream =
  ({ upstream, apiKey, nodeId, nodes }: UpstreamOptions): OpenUpstream =>
  (attempt, cursor, handlers) => {
    const client = connect(upstream[attempt % upstream.length]!);
    const call = client.makeBidiStreamRequest(
      Watch.path,
      Watch.requestSerialize,
      Watch.responseDeserialize,
      bearer(`Bearer ${apiKey}`),
    );
    let open = true;
    const close = (): void => {
      open = false;
      call.cancel();
      client.close();
    };
    call.on('data', ({ revocation, renewed }: WatchAnswer) => {
      if (!open) return;
      try {
        if (revocation) handlers.onRevocation(toRevocation(revocation));
        else if (renewed) handlers.onRenewed(toRenewed(renewed));
      } catch (error) {
        close();
        handlers.onEnd({ detail: (error as Error).message, refused: false });
      }
    });
    call.on('error', () => undefined);
    call.on('status', ({ code, details }: StatusObject) => {
      if (!open) return;
      close();
      const refused = ![status.UNAVAILABLE, status.CANCELLED, status.OK].includes(code);
      handlers.onEnd({ detail: `gRPC status ${code} ${details.slice(0, 200)}`, refused });
    });
    call.write({ hello: { nodeId, cursor, boundMs: nodes().bound, passesOn: true } });
    return {
      renew: (id) => void call.write({ renew: { id, applied: String(nodes().applied()) } }),
      close,
    };
  };

/** Unary renewals at the upstream, with any API key. One connection, which moves on when an address does not answer. */
export class RenewClient {
  private at = 0;
  private client: Client;

  constructor(private readonly upstream: readonly string[]) {
    this.client = connect(upstream[0]!);
  }

  /** @throws ServiceError as the upstream told it */
  async renew(authorization: string, request: object): Promise<RenewAnswer> {
    const { client } = this;
    try {
      return await new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          Renew.path,
          Renew.requestSerialize,
          Renew.responseDeserialize,
          request,
          bearer(authorization),
          { deadline: Date.now() + RENEW_DEADLINE_MS },
          (error, answer) => {
            if (error || !answer) reject(error ?? new Error('no answer'));
            else resolve(answer);
          },
        );
      });
    } catch (error) {
      if (isAway(error) && client === this.client) {
        this.client = connect(this.upstream[++this.at % this.upstream.length]!);
        client.close();
      }
      throw error;
    }
  }

  close(): void {
    this.client.close();
  }
}

/** What a caller did wrong says nothing of the address. */
function isAway(error: unknown): boolean {
  const { code } = error as Partial<ServiceError>;
  return code === undefined || code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
}

/** What the upstream's refusal of an API key means here: whatever is neither of the two ends no stream. */
export function toCurfewError(error: unknown): CurfewError {
  const { code } = error as Partial<ServiceError>;
  if (code === status.UNAUTHENTICATED) return new CurfewError('ERR_UNAUTHENTICATED');
  if (code === status.PERMISSION_DENIED) return new CurfewError('ERR_FORBIDDEN');
  return new CurfewError('ERR_UNAVAILABLE', { detail: 'the upstream cannot be asked' });
}
