/** JSON Schema (draft 2020-12) as this folder uses it. The builders keep literal types, so that `DataOf` can read them. */
export interface JsonSchema {
  readonly type: 'string' | 'integer' | 'array' | 'object';
  readonly description: string;
}

type Fields = Readonly<Record<string, JsonSchema>>;

export interface StringSchema extends JsonSchema {
  readonly type: 'string';
  readonly pattern: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export interface EnumSchema<V extends readonly string[]> extends JsonSchema {
  readonly type: 'string';
  readonly enum: V;
}

export interface IntegerSchema extends JsonSchema {
  readonly type: 'integer';
  readonly minimum: number;
  readonly maximum: number;
}

export interface ListSchema<I extends JsonSchema> extends JsonSchema {
  readonly type: 'array';
  readonly items: I;
  readonly maxItems: number;
  readonly uniqueItems?: true;
}

export interface TupleSchema<P extends readonly JsonSchema[]> extends JsonSchema {
  readonly type: 'array';
  readonly prefixItems: P;
  readonly items: false;
  readonly minItems: number;
  readonly maxItems: number;
}

export interface MapSchema<V extends JsonSchema> extends JsonSchema {
  readonly type: 'object';
  readonly patternProperties: Readonly<Record<string, V>>;
  readonly additionalProperties: false;
  readonly maxProperties: number;
}

export interface ObjectSchema<R extends Fields, O extends Fields> extends JsonSchema {
  readonly type: 'object';
  readonly properties: R & O;
  readonly required: readonly (keyof R & string)[];
  readonly additionalProperties: false;
  /** What else holds between members. */
  readonly allOf?: readonly object[];
}

/** Text of one form. The pattern must be anchored: it is matched with the flag `u`. */
export const text = (description: string, pattern: string): StringSchema => ({
  type: 'string',
  pattern,
  description,
});

/** Text that a person or a caller chose: well-formed, no control characters, 1 to `maxLength` characters. */
export const line = (description: string, maxLength: number): StringSchema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  pattern: '^[^\\p{Cc}\\p{Cs}]*$',
  description,
});

export const choice = <const V extends readonly string[]>(description: string, values: V): EnumSchema<V> => ({
  type: 'string',
  enum: values,
  description,
});

export const integer = (description: string, minimum: number, maximum: number): IntegerSchema => ({
  type: 'integer',
  minimum,
  maximum,
  description,
});

export const list = <I extends JsonSchema>(
  description: string,
  items: I,
  maxItems: number,
): ListSchema<I> => ({
  type: 'array',
  items,
  maxItems,
  description,
});

/** A list without repetitions. */
export const set = <I extends JsonSchema>(
  description: string,
  items: I,
  maxItems: number,
): ListSchema<I> => ({
  ...list(description, items, maxItems),
  uniqueItems: true,
});

export const tuple = <const P extends readonly JsonSchema[]>(
  description: string,
  items: P,
): TupleSchema<P> => ({
  type: 'array',
  prefixItems: items,
  items: false,
  minItems: items.length,
  maxItems: items.length,
  description,
});

/** Names of one form, each with a value of one form. */
export const map = <V extends JsonSchema>(
  description: string,
  keyPattern: string,
  value: V,
  maxProperties: number,
): MapSchema<V> => ({
  type: 'object',
  patternProperties: { [keyPattern]: value },
  additionalProperties: false,
  maxProperties,
  description,
});

/** An object of these members and no others. */
export const object = <const R extends Fields, const O extends Fields = Readonly<Record<never, never>>>(
  description: string,
  required: R,
  optional: O = {} as O,
  allOf?: readonly object[],
): ObjectSchema<R, O> => ({
  type: 'object',
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false,
  ...(allOf === undefined ? {} : { allOf }),
  description,
});

type Flat<T> = { [K in keyof T]: T[K] };

/** The TypeScript type of what a schema admits. */
export type DataOf<S> =
  S extends EnumSchema<infer V>
    ? V[number]
    : S extends { readonly type: 'string' }
      ? string
      : S extends IntegerSchema
        ? number
        : S extends TupleSchema<infer P>
          ? { readonly [K in keyof P]: DataOf<P[K]> }
          : S extends ListSchema<infer I>
            ? readonly DataOf<I>[]
            : S extends MapSchema<infer V>
              ? Readonly<Record<string, DataOf<V>>>
              : S extends ObjectSchema<infer R, infer O>
                ? Flat<{ readonly [K in keyof R]: DataOf<R[K]> } & { readonly [K in keyof O]?: DataOf<O[K]> }>
                : never;
