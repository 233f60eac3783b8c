import type { Step } from './story.js';

export interface Reporter {
  progress(line: string): void;
  step(step: Step): void;
  summary(steps: readonly Step[], facts: Readonly<Record<string, unknown>>): void;
}

/** Lines for people on stdout. */
export function humanReporter(): Reporter {
  return {
    progress: (line) => console.log(`  … ${line}`),
    step: ({ name, ok, ms, detail }) =>
      console.log(
        `${ok ? '  ✔' : '  ✘'} ${name.padEnd(36)} ${`${ms.toFixed(1)} ms`.padStart(11)}   ${detail}`,
      ),
    summary: (steps) => {
      const failed = steps.filter(({ ok }) => !ok);
      console.log(
        failed.length === 0
          ? `\n  All ${steps.length} steps did what they should.`
          : `\n  FAILED: ${failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')}`,
      );
    },
  };
}

/** One JSON document on stdout, progress on stderr. */
export function jsonReporter(): Reporter {
  return {
    progress: (line) => console.error(line),
    step: ({ name, ok, ms }) => console.error(`${ok ? 'ok' : 'FAILED'} ${name} ${ms.toFixed(1)} ms`),
    summary: (steps, facts) => {
      const rounded = steps.map((step) => ({ ...step, ms: Math.round(step.ms * 100) / 100 }));
      console.log(JSON.stringify({ ok: steps.every(({ ok }) => ok), ...facts, steps: rounded }, null, 2));
    },
  };
}
