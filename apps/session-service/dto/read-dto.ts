import { validateSync, type ValidationError } from 'class-validator';
import { CurfewError } from '#contracts';
import { ruleOf } from './field-rules.js';
import { tidyFieldName } from './text.js';

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (field: string, detail: string) => new CurfewError('ERR_VALIDATION', { field, detail });

/**
 * An instance with exactly the fields that are given. Not `plainToInstance`: it walks into every value, whatever its declared
 * type, drops members named `constructor` and throws a TypeError on some objects that have one.
 */
function assemble<T extends object>(type: new () => T, source: object, path: string): T {
  const dto = Object.create(type.prototype as object) as T;
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined) continue;
    const rule = ruleOf(type, name);
    if (!rule) throw refuse(path + tidyFieldName(name), 'is not known');
    const converted: unknown =
      rule.nested && isObject(value)
        ? assemble(rule.nested(), value, `${path}${name}.`)
        : rule.convert
          ? rule.convert(value)
          : value;
    if (converted !== undefined) Object.assign(dto, { [name]: converted });
  }
  return dto;
}

function firstError(errors: readonly ValidationError[], path = ''): CurfewError {
  const [error] = errors;
  if (!error) throw new Error('there is no error');
  const name = path + error.property;
  if (error.children && error.children.length > 0) return firstError(error.children, `${name}.`);
  if (error.value === undefined) return refuse(name, 'is required');
  return refuse(name, Object.values(error.constraints ?? {})[0] ?? 'is not valid');
}

/**
 * Reads a request as a DTO: unknown fields are refused, and what comes out has exactly the fields that were given.
 * Undefined counts as an object without fields.
 * @throws CurfewError ERR_VALIDATION that names the first field at fault, never its value.
 */
export function readDto<T extends object>(type: new () => T, value: unknown): T {
  if (value !== undefined && !isObject(value))
    throw new CurfewError('ERR_VALIDATION', { detail: 'the body must be a JSON object' });
  const dto = assemble(type, value ?? {}, '');
  const errors = validateSync(dto, { stopAtFirstError: true, validationError: { target: false } });
  if (errors.length > 0) throw firstError(errors);
  return dto;
}
