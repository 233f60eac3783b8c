/** gRPC status codes that the catalogue uses, by name (numbers: google.rpc.Code). */
export type GrpcStatusName =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

export interface ErrorEntry {
  readonly title: string;
  /** HTTP status of the problem+json answer; 0 where no answer is made (start-up errors). */
  readonly http: number;
  readonly grpc: GrpcStatusName;
  readonly log: 'debug' | 'info' | 'warn' | 'error';
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  /** For the reference page: when it happens, and what to do. */
  readonly doc: string;
}

const entries = <K extends string>(catalogue: Record<K, ErrorEntry>): Readonly<Record<K, ErrorEntry>> =>
  catalogue;

/** The one list of errors. Classes, problem+json, gRPC status, SDK errors and `docs/reference/errors.md` come from it. */
export const ERROR_CATALOGUE = entries({
  ERR_VALIDATION: {
    title: 'The request is not valid',
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    log: 'debug',
    retryable: false,
    doc: 'A field is missing, unknown, of the wrong type or out of range. `field` names it. Nothing was written.',
  },
  ERR_MALFORMED_BODY: {
    title: 'The body cannot be read',
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    log: 'debug',
    retryable: false,
    doc: 'The body is not JSON (or not a form, where a form is asked for), or it names a key twice. Nothing was written.',
  },
  ERR_UNSUPPORTED_MEDIA_TYPE: {
    title: 'The content type is not supported',
    http: 415,
    grpc: 'INVALID_ARGUMENT',
    log: 'debug',
    retryable: false,
    doc: 'Send `application/json`; to `/v1/introspect`, `application/x-www-form-urlencoded`.',
  },
  ERR_PAYLOAD_TOO_LARGE: {
    title: 'The body is too large',
    http: 413,
    grpc: 'RESOURCE_EXHAUSTED',
    log: 'debug',
    retryable: false,
    doc: 'Bodies are limited to 64 kB.',
  },
  ERR_TENANT_REQUIRED: {
    title: 'The API key is bound to several tenants: name one',
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    log: 'debug',
    retryable: false,
    doc: 'Set `tenant`. A key bound to one tenant need not.',
  },
  ERR_CLAIMS_TOO_LARGE: {
    title: 'The access token would be too large',
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    log: 'debug',
    retryable: false,
    doc: 'An access token is limited to 3,500 bytes, so that it fits a cookie. Issue fewer claims or roles.',
  },
  ERR_UNAUTHENTICATED: {
    title: 'The caller is not authenticated',
    http: 401,
    grpc: 'UNAUTHENTICATED',
    log: 'info',
    retryable: false,
    doc: 'The API key is missing, unknown or revoked. Send `Authorization: Bearer <key>`.',
  },
  ERR_TOKEN_REFUSED: {
    title: 'The token is refused',
    http: 401,
    grpc: 'UNAUTHENTICATED',
    log: 'debug',
    retryable: false,
    doc: 'Malformed, not authentic, expired, revoked, reused or unknown: the answer does not say which. The user has to sign in again (refresh token) or refresh (access token).',
  },
  ERR_FORBIDDEN: {
    title: 'The API key lacks the scope',
    http: 403,
    grpc: 'PERMISSION_DENIED',
    log: 'info',
    retryable: false,
    doc: 'The call needs a scope that the key does not have. `detail` names the scope.',
  },
  ERR_CSRF: {
    title: 'The request comes from another site',
    http: 403,
    grpc: 'PERMISSION_DENIED',
    log: 'warn',
    retryable: false,
    doc: 'A browser sent the request from an origin that is not allowed. `detail` names the origin and the setting (`allowedOrigins`).',
  },
  ERR_NOT_FOUND: {
    title: 'There is no such thing',
    http: 404,
    grpc: 'NOT_FOUND',
    log: 'debug',
    retryable: false,
    doc: 'Unknown, or of another tenant: both answer alike (G10).',
  },
  ERR_CREATE_SUPERSEDED: {
    title: 'A newer attempt with this Idempotency-Key has created the session',
    http: 409,
    grpc: 'ABORTED',
    log: 'info',
    retryable: false,
    doc: 'Two creates with one `Idempotency-Key` ran at once and this one is the older. Use the answer of the newer.',
  },
  ERR_IDEMPOTENCY_KEY_REUSED: {
    title: 'The Idempotency-Key was used for the previous rotation',
    http: 422,
    grpc: 'FAILED_PRECONDITION',
    log: 'info',
    retryable: false,
    doc: 'Each delivered refresh token needs a fresh key. Nothing was written; repeat with a new one.',
  },
  ERR_INTERNAL: {
    title: 'Something went wrong inside',
    http: 500,
    grpc: 'INTERNAL',
    log: 'error',
    retryable: false,
    doc: 'A defect. `errorId` finds the log entry.',
  },
  ERR_UNAVAILABLE: {
    title: 'The service cannot answer now',
    http: 503,
    grpc: 'UNAVAILABLE',
    log: 'warn',
    retryable: true,
    doc: 'The log store cannot be reached, or the instance is about to stop. Retry after `Retry-After` seconds, a refresh with the same token and `Idempotency-Key`. The outcome of the failed call is unknown; the retry settles it.',
  },
  ERR_OVERLOADED: {
    title: 'Too many of these calls at once',
    http: 503,
    grpc: 'UNAVAILABLE',
    log: 'debug',
    retryable: true,
    doc: 'This instance does as many of these calls at once as it may, or this API key has its share of them: 256 introspections, 200 callers that wait for receipts, and no key more than three times what is free. Nothing was read. Nodes ask less by themselves; if it stays, nodes have no lease: see `curfew_node_lease_age_seconds`.',
  },
  ERR_CONTENTION: {
    title: 'Too many writers at once',
    http: 503,
    grpc: 'UNAVAILABLE',
    log: 'warn',
    retryable: true,
    doc: 'Other writes to the same session or user won each time. Nothing was written.',
  },
  ERR_VIEW_BEHIND: {
    title: 'The view does not show that write yet',
    http: 503,
    grpc: 'UNAVAILABLE',
    log: 'warn',
    retryable: true,
    doc: 'A query came with `Curfew-At-Least` and the view did not reach that position within 2 s. Ask again, or leave the header out and take an older answer. If it stays: `curfew projections list`.',
  },
  ERR_EXCEPTION_NOT_ALIVE: {
    title: 'An exception is not a living session of the scope',
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    log: 'info',
    retryable: false,
    doc: 'A mass revocation names a session to spare that has ended, has expired, was ended by an earlier mass revocation, or is not in the scope. Nothing was written: an exception never brings a session back.',
  },
  ERR_TOO_LATE: {
    title: 'The call took too long',
    http: 503,
    grpc: 'UNAVAILABLE',
    log: 'warn',
    retryable: true,
    doc: 'A command that is older than 5 s does not write, and an answer older than 5 s holds no access token (DESIGN §4). Retry.',
  },
  ERR_STALE: {
    title: 'The node has no fresh lease',
    http: 503,
    grpc: 'UNAVAILABLE',
    log: 'warn',
    retryable: true,
    doc: 'The node has heard nothing from the service for its staleness bound and introspection failed or is off (`onStale`). It cannot know whether the session lives, so it does not guess.',
  },
  ERR_NAVIGATION_LOOP: {
    title: 'A navigation was redirected twice',
    http: 500,
    grpc: 'INTERNAL',
    log: 'error',
    retryable: false,
    doc: 'The refresh route answered, yet the request came back without a good access token: the browser does not keep the cookie (no HTTPS?), or the clocks of the nodes and the service disagree wildly.',
  },
  ERR_NAME_TAKEN: {
    title: 'The request property is taken',
    http: 500,
    grpc: 'INTERNAL',
    log: 'error',
    retryable: false,
    doc: 'Another middleware set the property that the adapter uses (`req.curfew`). Set `property` to another name.',
  },
  ERR_CONFIG: {
    title: 'The configuration is not valid',
    http: 0,
    grpc: 'FAILED_PRECONDITION',
    log: 'error',
    retryable: false,
    doc: 'The start stops and names the settings, never their values.',
  },
  ERR_DATA_FOLDER_IN_USE: {
    title: 'Another instance runs on this data folder',
    http: 0,
    grpc: 'FAILED_PRECONDITION',
    log: 'error',
    retryable: false,
    doc: 'One embedded instance per data folder. Stop the other one, or set `CURFEW_DATA_DIR`.',
  },
  ERR_LOG_STORE_REFUSED: {
    title: 'The log store cannot keep the guarantees',
    http: 0,
    grpc: 'FAILED_PRECONDITION',
    log: 'error',
    retryable: false,
    doc: 'A server in recovery, `synchronous_commit=off`, `fsync=off` or a transaction pooler: refused at start, by name. Also a database whose log is in the other store (`KURRENTDB_URL`).',
  },
  ERR_KAFKA_TOPIC_REFUSED: {
    title: 'A Kafka topic cannot keep the guarantees',
    http: 0,
    grpc: 'FAILED_PRECONDITION',
    log: 'error',
    retryable: false,
    doc: 'A topic is missing, or one of its settings would lose revocations: the error names topic, setting, what it is, what it must be and how to mend it. At start it stops an instance that has the role `relay`. Later the relay publishes nothing until it is right, so nodes over Kafka go stale within B. `curfew topics check` shows the same; [run on Kafka](../how-to/run-on-kafka.md).',
  },
});

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
export const ERROR_CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[];
