import { parseArgs } from 'node:util';
import { append } from './append.js';
import { massRevocation } from './mass-revocation.js';
import { machine, type BenchResult, type Figure } from './measure.js';
import { refresh } from './refresh.js';
import { rebuild } from './rebuild.js';
import { refreshAge } from './refresh-age.js';
import { revoke } from './revoke.js';
import { verify } from './verify.js';
import { watch } from './watch.js';

const BENCHES: Readonly<Record<string, () => Promise<BenchResult>>> = {
  verify,
  revoke,
  refresh,
  append,
  'refresh-age': refreshAge,
  'mass-revocation': massRevocation,
  rebuild,
  watch,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});

function shown({ value, unit }: Figure): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}

function print(result: BenchResult): void {
  console.log(`\n${result.bench}`);
  for (const figure of result.figures) {
    console.log(`  ${figure.name.padEnd(64)} ${shown(figure).padStart(16)}   ${figure.note ?? ''}`);
  }
}

const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}. npm run bench -- [${Object.keys(BENCHES).join(' | ')}] [--json]`,
  );
  process.exit(2);
}
const results: BenchResult[] = [];
for (const name of names) {
  console.error(`running ${name} …`);
  const result = await (BENCHES[name] as () => Promise<BenchResult>)();
  results.push(result);
  if (!values.json) print(result);
}
if (values.json) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else
  console.log(
    `\n${Object.entries(machine())
      .map(([key, value]) => `${key} ${value}`)
      .join(' · ')}`,
  );
process.exit(0);
