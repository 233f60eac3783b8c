import {
  CURRENT_VERSION,
  EVENT_CATALOGUE,
  EVENT_METADATA_SCHEMA,
  EVENT_TYPES,
  type EventType,
  type JsonSchema,
} from '#contracts';
import { generatedFrom } from './generated-from.js';

/** The keywords of JSON Schema that the event schemas use. */
interface Keywords extends JsonSchema {
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema | false;
  readonly maxItems?: number;
  readonly uniqueItems?: true;
  readonly prefixItems?: readonly JsonSchema[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

const number = (value = 0): string => value.toLocaleString('en-US');
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function textForm({ enum: values, pattern, minLength, maxLength }: Keywords): string {
  if (values) return values.map(code).join(', ');
  if (maxLength !== undefined) {
    return `text, ${minLength ?? 0} to ${maxLength} characters, no control characters`;
  }
  return pattern === undefined ? 'text' : `text, ${code(pattern)}`;
}

function listForm({ items, maxItems, uniqueItems, prefixItems }: Keywords): string {
  if (prefixItems) {
    const texts = prefixItems.map(({ description }) => description.replace(/\.$/, '').toLowerCase());
    return `list of ${prefixItems.length}: ${texts.join(', ')}; each ${form(prefixItems[0]!)}`;
  }
  const each = items ? form(items) : '';
  return `list of at most ${maxItems ?? 0}${uniqueItems ? ', none twice' : ''}; each ${each}`;
}

function objectForm({ patternProperties, maxProperties }: Keywords): string {
  const [entry] = Object.entries(patternProperties ?? {});
  if (entry === undefined) return 'object';
  const [keyPattern, value] = entry;
  return `map of at most ${maxProperties ?? 0}: ${code(keyPattern)} → ${form(value)}`;
}

function form(schema: JsonSchema): string {
  const keywords: Keywords = schema;
  switch (schema.type) {
    case 'string':
      return textForm(keywords);
    case 'integer':
      return `integer, ${number(keywords.minimum)} to ${number(keywords.maximum)}`;
    case 'array':
      return listForm(keywords);
    case 'object':
      return objectForm(keywords);
  }
}

/** One row a field; the fields of an object below it. */
function rows(schema: JsonSchema, path = ''): string[] {
  const { properties = {}, required = [] }: Keywords = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const always = required.includes(name);
    return [
      `| \`${path}${name}\`${always ? '' : ' (optional)'} | ${form(field)} | ${field.description} |`,
      ...rows(field, `${path}${name}.`),
    ];
  });
}

const table = (schema: JsonSchema): string =>
  ['| field | form | meaning |', '| --- | --- | --- |', ...rows(schema)].join('\n');

/** What a version has that the next one has not, and the other way round. */
function difference(older: Keywords, newer: Keywords): string {
  const names = (schema: Keywords) => Object.keys(schema.properties ?? {});
  const added = names(newer).filter((name) => !names(older).includes(name));
  const gone = names(older).filter((name) => !names(newer).includes(name));
  const list = (fields: readonly string[]) => fields.map(code).join(', ');
  const parts = [
    ...(added.length > 0 ? [`without ${list(added)}`] : []),
    ...(gone.length > 0 ? [`with ${list(gone)}`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'with other forms';
}

function versionsOf(type: EventType): string {
  const schemas = Object.entries<JsonSchema>(EVENT_CATALOGUE[type].versions);
  const lines = schemas.map(([version, schema], i) => {
    const next = schemas[i + 1];
    const what = next
      ? `as version ${next[0]} ${difference(schema, next[1])}; read as the current one`
      : 'current';
    return `- Version ${version}: ${what}.`;
  });
  return lines.join('\n');
}

function section(type: EventType): string {
  const { says, stream, versions } = EVENT_CATALOGUE[type];
  const schema = (versions as Readonly<Record<number, JsonSchema>>)[CURRENT_VERSION[type]]!;
  return `## ${type}\n\n${says}\n\n- Stream: ${stream}.\n${versionsOf(type)}\n\n${table(schema)}\n`;
}

/** `docs/reference/events.md` */
export function eventsPage(): string {
  return `${generatedFrom('libs/contracts/events/event-catalogue.ts')}

# Events

What is in the log. Every event is checked against the JSON Schema of its type's current version as it is appended; a member that
the schema does not name is refused. Stored events are never rewritten: an old version is brought up to the current one as it is
read, and an event that this release does not know stops its reader. Names in streams are percent-encoded. Fields that are called
sealed hold personal data under a key of the user (AES-256-GCM): without the key they say nothing. No event holds a secret.

${EVENT_TYPES.map(section).join('\n')}
## Metadata

${EVENT_METADATA_SCHEMA.description} The event's own id (UUID), its type, its \`schemaVersion\`, its stream, revision and position are
beside it.

${table(EVENT_METADATA_SCHEMA)}
`;
}
