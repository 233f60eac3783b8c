import { createHash } from 'node:crypto';
import type { RecordedEvent, StreamAppend } from '#application';
import type { ProjectionDefinition } from '../projection.js';

/** An event of this type cannot be applied while its `data.poison` is in `poisoned`. */
export const poisoned = new Set<string>();
/** Holds up every `apply` while set. */
export const applyGate: { wait?: (version: number) => Promise<void> } = {};

class ProbeError extends Error {}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const WHOLE_LOG = '*';

/** Digest of a chain of event ids: it changes if one is missing, comes twice or out of order. */
export const chain = (before: string, ids: readonly string[]): string =>
  ids.reduce((digest, id) => md5(digest + id), before);

/** What the tables hold after those events, as text. */
export function expectedProbe(events: readonly RecordedEvent[]): string[] {
  const streams = new Map<string, { n: number; digest: string }>();
  for (const { stream, id } of events) {
    for (const key of [stream, WHOLE_LOG]) {
      const { n, digest } = streams.get(key) ?? { n: 0, digest: '' };
      streams.set(key, { n: n + 1, digest: chain(digest, [id]) });
    }
  }
  return [...streams].map(
    ([stream, { n, digest }]) => `(${stream === WHOLE_LOG ? '*' : `${stream}`},${n},${digest})`,
  );
}

/** Counts and chains the events of each stream, and of the whole log: nothing in it is idempotent. */
export const probe: ProjectionDefinition = {
  name: 'counters',
  tables: ['probe'],
  inline: false,
  createTables: (version) =>
    `create table curfew.probe_${version} (stream text collate "C" primary key, n int not null, digest text not null)`,
  apply: async (client, version, events) => {
    await applyGate.wait?.(version);
    const ids = new Map<string, string[]>();
    for (const { stream, id } of events) {
      for (const key of [stream, WHOLE_LOG]) ids.set(key, [...(ids.get(key) ?? []), id]);
    }
    const { rows } = await client.query<{ stream: string; digest: string }>({
      text: `select stream, digest from curfew.probe_${version} where stream = any ($1::text[])`,
      values: [[...ids.keys()]],
    });
    const before = new Map(rows.map(({ stream, digest }) => [stream, digest]));
    await client.query({
      text: `insert into curfew.probe_${version} as p (stream, n, digest)
        select * from unnest($1::text[], $2::int[], $3::text[])
        on conflict (stream) do update set n = p.n + excluded.n, digest = excluded.digest`,
      values: [
        [...ids.keys()],
        [...ids.values()].map((of) => of.length),
        [...ids].map(([key, of]) => chain(before.get(key) ?? '', of)),
      ],
    });
    for (const { data } of events) {
      if (typeof data['poison'] === 'string' && poisoned.has(data['poison']))
        throw new ProbeError(data['poison']);
    }
  },
};

const inlineTable = (version: number): string => `create table curfew.probe_inline_${version} (
  stream text collate "C" primary key, revision int not null, digest text not null)`;

/** Kept by appends through the view, as the session views are. */
export const inlineProbe: ProjectionDefinition = {
  name: 'sessions',
  tables: ['probe_inline'],
  inline: true,
  createTables: inlineTable,
  apply: async (client, version, events) => {
    await applyGate.wait?.(version);
    const streams = new Map<string, { revision: number; ids: string[] }>();
    for (const { stream, revision, id } of events) {
      streams.set(stream, { revision, ids: [...(streams.get(stream)?.ids ?? []), id] });
    }
    const { rows } = await client.query<{ stream: string; digest: string }>({
      text: `select stream, digest from curfew.probe_inline_${version} where stream = any ($1::text[])`,
      values: [[...streams.keys()]],
    });
    const before = new Map(rows.map(({ stream, digest }) => [stream, digest]));
    await client.query({
      text: `insert into curfew.probe_inline_${version} as p (stream, revision, digest)
        select * from unnest($1::text[], $2::int[], $3::text[])
        on conflict (stream) do update set revision = excluded.revision, digest = excluded.digest`,
      values: [
        [...streams.keys()],
        [...streams.values()].map(({ revision }) => revision),
        [...streams].map(([stream, { ids }]) => chain(before.get(stream) ?? '', ids)),
      ],
    });
  },
};

/** The inline projection of `PostgresEventLog`. */
export const inlineProbeChanges = (appends: readonly StreamAppend[]): object[] =>
  appends.flatMap(({ stream, expectedRevision, events }) =>
    events.map(({ id }, i) => ({ stream, revision: expectedRevision + 1 + i, id })),
  );

/** Version 1 of both, and their views; what the migrations of real projections do. */
export const probeMigration = {
  id: 'test/probes',
  sql: `${probe.createTables(1)};
    create view curfew.probe as select * from curfew.probe_1;
    ${inlineTable(1)};
    create view curfew.probe_inline as select * from curfew.probe_inline_1;`,
};

export const inlineProbeMigration = {
  id: 'test/probe-inline-function',
  sql: `create or replace function curfew.apply_inline_views(changes jsonb) returns void language plpgsql as $$
    declare c record;
    begin
      for c in select * from jsonb_to_recordset(changes) as c(stream text, revision int, id text) loop
        insert into curfew.probe_inline as p (stream, revision, digest) values (c.stream, c.revision, md5(c.id))
        on conflict (stream) do update set revision = c.revision, digest = md5(p.digest || c.id);
      end loop;
    end $$;`,
};
