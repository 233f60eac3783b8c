import { createRequire } from 'node:module';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import {
  CURRENT_VERSION,
  EVENT_CATALOGUE,
  EVENT_TYPES,
  eventSchema,
  type EventEntry,
} from './event-catalogue.js';
import { EVENT_METADATA_SCHEMA } from './metadata-schema.js';
import type { JsonSchema } from './schema-parts.js';

// Loaded at the first check: whoever only needs the error catalogue (the CLI) does not pay for the compiler.
const ajv = once((): Ajv2020 => {
  const { Ajv2020: Compiler } = createRequire(import.meta.url)('ajv/dist/2020.js') as {
    Ajv2020: typeof Ajv2020;
  };
  // That the schemas are schemas is a test's to say, not every start's.
  return new Compiler({ strict: true, strictTypes: true, strictTuples: true, validateSchema: false });
});

const compiled = new Map<JsonSchema, ValidateFunction>();

function validatorOf(schema: JsonSchema): ValidateFunction {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv().compile(schema);
    compiled.set(schema, validate);
  }
  return validate;
}

/**
 * Checks the data of an event. Cost: about 1 µs; the first time for a type some milliseconds.
 * @throws Error for an unknown type or version, and for data that its schema refuses. The message names type, version and the
 *   place at fault, and no value.
 */
export function assertEvent(type: string, version: number, data: unknown): void {
  const validate = validatorOf(eventSchema(type, version));
  if (!validate(data))
    throw new Error(`event ${type} v${version} does not fit its schema: ${fault(validate)}`);
}

/**
 * Checks the metadata of an event.
 * @throws Error as `assertEvent`
 */
export function assertEventMetadata(type: string, metadata: unknown): void {
  const validate = validatorOf(EVENT_METADATA_SCHEMA);
  if (!validate(metadata)) {
    throw new Error(`the metadata of event ${type} does not fit its schema: ${fault(validate)}`);
  }
}

/** Makes the checks of all current versions ready now, so that no call waits for it. Cost: about 80 ms, the first time. */
export function prepareEventChecks(): void {
  validatorOf(EVENT_METADATA_SCHEMA);
  for (const type of EVENT_TYPES) validatorOf(eventSchema(type, CURRENT_VERSION[type]));
}

const fault = ({ errors }: ValidateFunction): string => (errors ?? []).map(describeFault).join(', ');

const describeFault = ({ instancePath, keyword, params }: ErrorObject): string => {
  const { missingProperty: missing } = params as { missingProperty?: unknown };
  return `${tidyPath(instancePath)} (${keyword}${typeof missing === 'string' ? ` ${missing}` : ''})`;
};

/** Names that the schemas know, and indices; any other name may be a value that got into the wrong place. */
function tidyPath(path: string): string {
  if (path === '') return '/';
  const segments = path.split('/').slice(1);
  return segments
    .map((segment) => `/${/^\d{1,4}$/.test(segment) || knownNames().has(segment) ? segment : '*'}`)
    .join('');
}

const knownNames = once((): ReadonlySet<string> => {
  const entries: readonly EventEntry[] = Object.values(EVENT_CATALOGUE);
  const schemas = [...entries.flatMap(({ versions }) => Object.values(versions)), EVENT_METADATA_SCHEMA];
  return new Set(schemas.flatMap(namesIn));
});

function namesIn(schema: JsonSchema): string[] {
  const { properties = {} } = schema as { properties?: Readonly<Record<string, JsonSchema>> };
  return Object.entries(properties).flatMap(([name, member]) => [name, ...namesIn(member)]);
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
