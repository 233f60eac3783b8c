import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CurfewError } from '#contracts';
import { documentedSettings } from './setting.js';

export type Variables = Readonly<Record<string, string | undefined>>;

export interface SettingRules<T> {
  /** Names that are set, yet are no settings: those that are a mistake, each with what is wrong. Absent: others are let be. */
  readonly unknown?: (names: readonly string[], known: ReadonlySet<string>) => readonly string[];
  /** What does not go together, asked only when each value is fine by itself. */
  readonly relations: (settings: T) => readonly string[];
}

/**
 * Parses and checks the settings that a class declares. One that is empty counts as absent.
 * @throws CurfewError ERR_CONFIG whose detail names every setting at fault, and never a value.
 */
export function readSettings<T extends object>(
  settings: new () => T,
  variables: Variables,
  { unknown = () => [], relations }: SettingRules<T>,
): T {
  const known = new Set(documentedSettings(settings).map(({ name }) => name));
  const given = Object.entries(variables).filter(([, value]) => value !== undefined && value !== '');
  const read = plainToInstance(settings, Object.fromEntries(given.filter(([name]) => known.has(name))), {
    exposeDefaultValues: true,
  });
  const invalid = validateSync(read).map(
    ({ property, constraints }) => `${property}: ${Object.values(constraints ?? {})[0] ?? 'is not valid'}`,
  );
  const names = given.map(([name]) => name).filter((name) => !known.has(name));
  const problems = [
    ...unknown(names, known),
    ...invalid,
    // Relations between values that are themselves wrong would only add noise.
    ...(invalid.length === 0 ? relations(read) : []),
  ];
  if (problems.length > 0) throw new CurfewError('ERR_CONFIG', { detail: problems.join('\n') });
  return read;
}
