/** How a field is read before it is checked. */
export interface FieldRule {
  /** From its form on the wire; what it cannot read it leaves as it is, for the check to refuse. */
  readonly convert?: (value: unknown) => unknown;
  readonly nested?: () => new () => object;
}

const rules = new Map<object, Map<string, FieldRule>>();

/** Makes a property of a DTO a known field. */
export const known =
  (rule: FieldRule = {}): PropertyDecorator =>
  (prototype, key) => {
    const own = rules.get(prototype) ?? new Map<string, FieldRule>();
    rules.set(prototype, own.set(String(key), rule));
  };

/** The rule of a field, inherited ones included; undefined for an unknown name, whatever objects inherit. */
export function ruleOf(type: new () => object, name: string): FieldRule | undefined {
  for (
    let at = type.prototype as object | null;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const rule = rules.get(at)?.get(name);
    if (rule) return rule;
  }
  return undefined;
}
