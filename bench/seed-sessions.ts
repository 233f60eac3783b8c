import { createHash } from 'node:crypto';
import { evolveUser, initialUserState, MOST_SLOTS, userStream } from '#domain';
import { PostgresSnapshots } from '#event-log';
import { snapshotOf, USER } from '../libs/application/folded-streams.js';
import type { BenchDatabase } from './environment.js';

const DAY_MS = 86_400_000;
/** Sessions of one statement, and statements at once. */
const CHUNK = 50_000;
const AT_ONCE = 2;

/** So many sessions of one tenant, in turn of `users` users. */
export interface SeededSessions {
  readonly tenant: string;
  readonly sessions: number;
  readonly users: number;
}

export const seededSub = (number: number): string => `user-${number}`;

/** Session `number`, counted from 0. */
export const seededSid = (tenant: string, number: number): string =>
  createHash('md5').update(`${tenant}:${number}`).digest('hex');

/** Seeded sessions `$3` to `$4` of tenant `$1` with `$2` users, created at `$5` (ms). Values as the service writes them. */
const SEEDED = `
  with seeded as (
    select n, n / $2::int as admission, $1 || ':user-' || n % $2::int as user_id, 'user-' || n % $2::int as sub,
      md5($1 || ':' || n) as sid, $5::bigint as at,
      jsonb_build_object('recordedAt', $5::bigint, 'initiator', 'user', 'tenant', $1::text, 'correlationId', 'seed',
        'actor', jsonb_build_object('kind', 'api-key', 'id', 'bench')) as metadata
    from generate_series($3::int, $4::int) n
  )`;
/** 32 bytes in base64url, known to nobody. */
const BYTES = `translate(encode(sha256(convert_to(sid || type, 'UTF8')), 'base64'), '+/=', '-_')`;
const EVENT = 'stream, revision, event_id, type, schema_version, data, metadata';

const CREATE = `${SEEDED}
  insert into curfew.events (${EVENT})
  select e.stream, e.revision, gen_random_uuid(), e.type, e.version, e.data, metadata
  from seeded cross join lateral (
    select 0 as nth, 'scope-user-' || user_id as stream, admission as revision, 'user.session-admitted' as type, 1 as version,
      jsonb_build_object('sub', sub, 'tenant', $1::text, 'sid', sid, 'left', '[]'::jsonb) as data
    union all
    select 1, 'session-' || sid, 0, type, 2,
      jsonb_build_object('sub', sub, 'tenant', $1::text, 'client', 'default', 'roles', '["member"]'::jsonb, 'authTime',
        at / 1000, 'policy', '${JSON.stringify(policy())}'::jsonb, 'macKeyId', 1, 'secretHash', ${BYTES}, 'at', at,
        'accessExp', at / 1000 + 300, 'ep', '[0,0,0,0]'::jsonb)
    from (values ('session.created')) t(type)
  ) e order by n, nth`;

const ROTATE = `${SEEDED}
  insert into curfew.events (${EVENT})
  select 'session-' || sid, $6::int, gen_random_uuid(), type, 2,
    jsonb_build_object('gen', $6::int, 'secretHash', ${BYTES}, 'salt', ${BYTES}, 'pepperId', 1, 'macKeyId', 1, 'at', at,
      'supersededAt', at, 'accessExp', at / 1000 + 300), metadata
  from seeded, (values ('session.rotated')) t(type) order by n`;

/** After `$6` rotations: of ten sessions one is logged out and one expired, of a thousand one is stolen. */
const END = `${SEEDED}
  insert into curfew.events (${EVENT})
  select 'session-' || sid, $6::int + e.nth, gen_random_uuid(), e.type, 1, e.data, metadata
  from seeded cross join lateral (
    select 1 as nth, 'session.revoked' as type, jsonb_build_object('sub', sub, 'tenant', $1::text, 'reason', 'logout',
      'initiator', 'user', 'at', at) as data where n % 10 = 0
    union all
    select 1, 'session.expired', jsonb_build_object('sub', sub, 'tenant', $1::text, 'reason', 'idle', 'at', at)
    where n % 10 = 5
    union all
    select 1, 'session.theft-detected', jsonb_build_object('presentedGen', 1, 'currentGen', $6::int) where n % 1000 = 1
    union all
    select 2, 'session.revoked', jsonb_build_object('sub', sub, 'tenant', $1::text, 'reason', 'theft',
      'initiator', 'system', 'at', at) where n % 1000 = 1
  ) e order by n, nth`;

/** One of each of the users \`$3\` to \`$4\`. */
const REVOKE_USERS = `${SEEDED}
  insert into curfew.events (${EVENT})
  select 'epoch-user-' || user_id, 0, gen_random_uuid(), 'scope.revoked', 1,
    jsonb_build_object('revocationId', gen_random_uuid(), 'kind', 'user', 'tenant', $1::text, 'sub', sub, 'epoch', 1,
      'excepted', '{}'::jsonb, 'reason', 'admin', 'initiator', 'admin', 'at', at), metadata
  from seeded order by n`;

const VIEWS = `${SEEDED}
  insert into curfew.session_views (sid, tenant, sub, client, roles, gen, created_at, last_seen_at, idle_timeout,
    absolute_timeout, revision, ep_user, ep_client, ep_tenant, ep_global)
  select sid, $1, sub, 'default', '["member"]', 0, at, at, ${policy().idleTimeout}, ${policy().absoluteTimeout}, 0, 0, 0, 0, 0
  from seeded`;

const HEADS = `
  insert into curfew.streams (stream, revision) select stream, max(revision) from curfew.events group by stream
  on conflict do nothing`;

function policy() {
  return {
    accessTtl: 300_000,
    idleTimeout: 14 * DAY_MS,
    absoluteTimeout: 90 * DAY_MS,
    reuseGrace: 10_000,
  };
}

/** Creates sessions, with their views. Call `finishSeeding` after the last. */
export async function seedSessions(database: BenchDatabase, which: SeededSessions): Promise<void> {
  await inChunks(database, CREATE, which);
  await inChunks(database, VIEWS, which);
  await keepUserSnapshot(database, which);
}

/**
 * Creates, rotations and ends of sessions, a tenth of them logged out, a tenth expired, a thousandth stolen, and a mass revocation of
 * every hundredth user. Without the views: a rebuild makes them. Call `finishSeeding` after it.
 * @returns how many events that is
 */
export async function seedHistory(
  database: BenchDatabase,
  which: SeededSessions,
  rotations: number,
): Promise<number> {
  await inChunks(database, CREATE, which);
  for (let gen = 1; gen <= rotations; gen += 1) await inChunks(database, ROTATE, which, [gen]);
  await inChunks(database, END, which, [rotations]);
  const revokedUsers = { ...which, sessions: Math.floor(which.users / 100) };
  await inChunks(database, REVOKE_USERS, revokedUsers);
  const { rows } = await database.pool.query<{ count: string }>('select count(*) from curfew.events');
  return Number(rows[0]?.count);
}

/** Heads of streams, and what the planner knows of the tables. */
export async function finishSeeding({ pool }: BenchDatabase): Promise<void> {
  await pool.query(HEADS);
  await pool.query('analyze curfew.events, curfew.streams, curfew.session_views_1');
}

async function inChunks(
  { pool }: BenchDatabase,
  statement: string,
  { tenant, sessions, users }: SeededSessions,
  more: readonly number[] = [],
): Promise<void> {
  const at = Date.now() - DAY_MS;
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < sessions) {
        const first = next;
        next += CHUNK;
        await pool.query(statement, [tenant, users, first, Math.min(next, sessions) - 1, at, ...more]);
      }
    }),
  );
}

/** As the first create would make it, which would first read the whole stream of the user's admissions. */
async function keepUserSnapshot(
  { pool }: BenchDatabase,
  { tenant, sessions, users }: SeededSessions,
): Promise<void> {
  if (users !== 1 || sessions < MOST_SLOTS) return;
  const revision = sessions - 1;
  let state = initialUserState;
  for (let number = sessions - MOST_SLOTS; number < sessions; number += 1) {
    const data = { sub: seededSub(0), tenant, sid: seededSid(tenant, number), left: [] };
    state = evolveUser(state, { type: 'user.session-admitted', data }, number);
  }
  const snapshots = new PostgresSnapshots(pool);
  snapshots.keep(snapshotOf(USER, userStream(tenant, seededSub(0)), { state, revision, position: '' }));
  await snapshots.close();
}
