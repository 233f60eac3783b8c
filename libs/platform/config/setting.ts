import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, Length, Matches, Max, Min } from 'class-validator';

/** How a setting appears in `docs/reference/configuration.md`. */
export interface SettingDoc {
  /** What it does, in a sentence or two. */
  readonly doc: string;
  /** As a person would write it; absent: no default. */
  readonly default?: string;
}

export interface DocumentedSetting extends SettingDoc {
  readonly name: string;
  readonly accepts: string;
}

const documented = new Map<object, DocumentedSetting[]>();

/** Settings that a class declares, in order, and behind them those of the classes that it extends. */
export function documentedSettings(settings: abstract new () => object): readonly DocumentedSetting[] {
  const found: DocumentedSetting[] = [];
  for (
    let prototype = settings.prototype as object | null;
    prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  )
    found.push(...(documented.get(prototype) ?? []));
  return found;
}

const compose =
  (accepts: string, setting: SettingDoc, decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, key) => {
    const own = documented.get(target) ?? [];
    documented.set(target, own);
    own.push({ ...setting, name: String(key), accepts });
    for (const decorate of [IsOptional(), ...decorators]) decorate(target, key);
  };

const fromText = (parse: (text: string) => unknown): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? parse(value) : value));

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `300`, `300s`, `5m`, `14d`, `250ms` in milliseconds; anything else stays text and fails the validation after it. */
function parseDuration(text: string): number | string {
  const match = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text);
  return match ? Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1) : text;
}

const parseInteger = (text: string): number | string => (/^\d{1,9}$/.test(text) ? Number(text) : text);

const FLAGS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };
const parseFlag = (text: string): boolean | string => (Object.hasOwn(FLAGS, text) ? FLAGS[text]! : text);

/** Durations are milliseconds after parsing. */
export const Duration = (setting: SettingDoc & { min: number; max: number }): PropertyDecorator =>
  compose('duration: `300` or `300s`, `5m`, `12h`, `14d`, `250ms`', setting, [
    fromText(parseDuration),
    IsInt({ message: 'must be a duration such as 300, 300s, 5m, 12h, 14d or 250ms' }),
    Min(setting.min, { message: 'is too short' }),
    Max(setting.max, { message: 'is too long' }),
  ]);

export const Count = (setting: SettingDoc & { min: number; max: number }): PropertyDecorator =>
  compose(`a whole number from ${setting.min} to ${setting.max}`, setting, [
    fromText(parseInteger),
    IsInt({ message: 'must be a whole number' }),
    Min(setting.min, { message: `must be at least ${setting.min}` }),
    Max(setting.max, { message: `must be at most ${setting.max}` }),
  ]);

export const Port = (setting: SettingDoc): PropertyDecorator =>
  compose('0 to 65535; 0 takes a free port', setting, [
    fromText(parseInteger),
    IsInt({ message: 'must be a port number' }),
    Max(65_535, { message: 'must be a port number' }),
  ]);

export const Flag = (setting: SettingDoc): PropertyDecorator =>
  compose('`true` or `false`', setting, [
    fromText(parseFlag),
    IsBoolean({ message: 'must be true or false' }),
  ]);

export const OneOf = (values: readonly string[], setting: SettingDoc): PropertyDecorator =>
  compose(values.map((value) => `\`${value}\``).join(', '), setting, [
    IsIn(values, { message: `must be one of ${values.join(', ')}` }),
  ]);

export const Text = (
  accepts: string,
  setting: SettingDoc & { pattern?: RegExp; max?: number },
): PropertyDecorator =>
  compose(accepts, setting, [
    Length(1, setting.max ?? 4_096, { message: `must be 1 to ${setting.max ?? 4_096} characters` }),
    // eslint-disable-next-line no-control-regex -- a control character in a setting is always an accident
    Matches(setting.pattern ?? /^[^\u0000-\u001f\u007f]*$/, { message: `must be ${accepts}` }),
  ]);
