import { isIP } from 'node:net';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { problemWithClaims, MAX_CLAIMS_BYTES } from './claims.js';
import { known, type FieldRule } from './field-rules.js';
import { instantOf } from './instant.js';
import { isLine, MAX_USER_AGENT, tidyUserAgent } from './text.js';

/** One declaration per field: what OpenAPI says and what is checked cannot differ. */
interface FieldDoc {
  readonly description: string;
  /** False unless set. */
  readonly required?: boolean;
  readonly example?: unknown;
}

const apply =
  (...decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, key) => {
    for (const decorate of decorators) decorate(target, key);
  };

interface FieldParts extends FieldRule {
  readonly schema: ApiPropertyOptions;
  readonly checks: readonly PropertyDecorator[];
}

const field = (doc: FieldDoc, { schema, checks, ...rule }: FieldParts): PropertyDecorator =>
  apply(
    known(rule),
    ApiProperty({ ...schema, ...doc, required: doc.required ?? false } as ApiPropertyOptions),
    // Not IsOptional: that one takes null for absent, and null would reach the use cases.
    ...(doc.required ? [] : [ValidateIf((_object, value) => value !== undefined)]),
    ...checks,
  );

const check = (isFine: (value: unknown) => boolean, message: string): PropertyDecorator =>
  ValidateBy({ name: 'value', validator: { validate: isFine, defaultMessage: () => message } });

const characters = (min: number, max: number) => (min === max ? `${max}` : `${min} to ${max}`);

export interface LineDoc extends FieldDoc {
  /** 1 unless set. */
  readonly min?: number;
  readonly max: number;
  readonly pattern?: RegExp;
  /** In the words of the error, when there is a pattern. */
  readonly accepts?: string;
}

/** Clean text of bounded length. */
export function Line({ min = 1, max, pattern, accepts, ...doc }: LineDoc): PropertyDecorator {
  const schema: ApiPropertyOptions = { type: 'string', minLength: min, maxLength: max };
  return field(doc, {
    schema: pattern ? { ...schema, pattern: pattern.source } : schema,
    checks: [
      check(
        (value) => isLine(value, min, max) && (pattern?.test(value) ?? true),
        `must be a string of ${accepts ?? `${characters(min, max)} characters without control characters`}`,
      ),
    ],
  });
}

export interface LinesDoc extends LineDoc {
  /** 0 unless set. */
  readonly minItems?: number;
  readonly maxItems: number;
}

/** A list of clean texts. */
export const Lines = (options: LinesDoc): PropertyDecorator => lines(options);

/** The same in a query, where a name that comes once is a list of one. */
export const QueryLines = (options: LinesDoc): PropertyDecorator =>
  lines(options, (value) => (typeof value === 'string' ? [value] : value));

function lines(options: LinesDoc, convert?: (value: unknown) => unknown): PropertyDecorator {
  const { minItems = 0, maxItems, min = 1, max, pattern, accepts, ...doc } = options;
  const isItem = (item: unknown) => isLine(item, min, max) && (pattern?.test(item) ?? true);
  const items = accepts ?? `${characters(min, max)} characters without control characters`;
  return field(doc, {
    schema: {
      type: 'array',
      minItems,
      maxItems,
      items: {
        type: 'string',
        minLength: min,
        maxLength: max,
        ...(pattern ? { pattern: pattern.source } : {}),
      },
    },
    ...(convert ? { convert } : {}),
    checks: [
      check(
        (value) =>
          Array.isArray(value) && value.length >= minItems && value.length <= maxItems && value.every(isItem),
        `must be a list of ${characters(minItems, maxItems)} strings, each of ${items}`,
      ),
    ],
  });
}

/** Any text at all: what it must look like is the use case's to say. */
export const AnyText = (doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type: 'string' },
    checks: [check((value) => typeof value === 'string' && value !== '', 'must be a string')],
  });

export const Choice = (values: readonly string[], doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type: 'string', enum: [...values] },
    checks: [check((value) => values.includes(value as string), `must be one of ${values.join(', ')}`)],
  });

/** Some of the values, at least one, none twice. */
export const Choices = (values: readonly string[], doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type: 'array', minItems: 1, items: { type: 'string', enum: [...values] } },
    checks: [
      check(
        (value) =>
          Array.isArray(value) &&
          value.length > 0 &&
          value.every((item) => values.includes(item as string)) &&
          new Set(value).size === value.length,
        `must be a list of some of ${values.join(', ')}, none twice`,
      ),
    ],
  });

interface Bounds {
  readonly min: number;
  readonly max: number;
}

const integer = ({ min, max }: Bounds): FieldParts => ({
  schema: { type: 'integer', minimum: min, maximum: max },
  checks: [
    check(
      (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  ],
});

export const Integer = ({ min, max, ...doc }: FieldDoc & Bounds): PropertyDecorator =>
  field(doc, integer({ min, max }));

/** An integer in a query (text), or in a gRPC message. */
export const QueryInteger = ({ min, max, ...doc }: FieldDoc & Bounds): PropertyDecorator =>
  field(doc, {
    ...integer({ min, max }),
    convert: (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
  });

/** An instant in a query (RFC 3339 or milliseconds), or in a gRPC message (milliseconds): milliseconds since the epoch. */
export const Instant = (doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type: 'string', maxLength: 40, example: '2026-11-23T12:00:00Z' },
    convert: (value) => (typeof value === 'string' ? (instantOf(value) ?? value) : value),
    checks: [
      check(
        (value) => typeof value === 'number',
        'must be an instant: RFC 3339, or milliseconds since the epoch',
      ),
    ],
  });

/** A flag in a query (text), or in a gRPC message. */
export const QueryFlag = (doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type: 'boolean' },
    convert: (value) => (value === 'true' ? true : value === 'false' ? false : value),
    checks: [check((value) => typeof value === 'boolean', 'must be true or false')],
  });

export const IpAddress = (doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type: 'string', maxLength: 64 },
    checks: [check((value) => isLine(value, 1, 64) && isIP(value) !== 0, 'must be an IPv4 or IPv6 address')],
  });

/** Cut and cleaned, never refused for what it says. */
export const UserAgent = ({ description, ...doc }: FieldDoc): PropertyDecorator =>
  field(
    { ...doc, description: `${description} Cut to ${MAX_USER_AGENT} characters.` },
    {
      schema: { type: 'string' },
      convert: (value) => (typeof value === 'string' ? tidyUserAgent(value) : value),
      checks: [check((value) => typeof value === 'string', 'must be a string')],
    },
  );

export const Nested = (type: () => new () => object, doc: FieldDoc): PropertyDecorator =>
  field(doc, {
    schema: { type },
    nested: type,
    checks: [check((value) => value instanceof type(), 'must be an object'), ValidateNested()],
  });

/** Custom claims: any JSON object within bounds. */
export const Claims = ({ description, ...doc }: FieldDoc): PropertyDecorator =>
  field(
    { ...doc, description: `${description} At most ${MAX_CLAIMS_BYTES} bytes as JSON.` },
    {
      schema: { type: 'object', additionalProperties: true },
      checks: [
        ValidateBy({
          name: 'claims',
          validator: {
            validate: (value) => problemWithClaims(value) === undefined,
            defaultMessage: (validation) => problemWithClaims(validation?.value) ?? '',
          },
        }),
      ],
    },
  );
