import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/usr/lib';

/** Debian's libfaketime, or undefined. */
function findLibrary(): string | undefined {
  if (process.platform !== 'linux' || !existsSync(ROOT)) return undefined;
  return readdirSync(ROOT)
    .map((folder) => join(ROOT, folder, 'faketime', 'libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}

export const FAKETIME = findLibrary();

/** The wall clock of a process, to be moved while it runs. Its monotonic clock stays as it is. */
export class MovableClock {
  private constructor(
    private readonly file: string,
    private readonly library: string,
  ) {}

  /** Undefined where there is no faketime. */
  static make(folder: string, name: string): MovableClock | undefined {
    if (FAKETIME === undefined) return undefined;
    const clock = new MovableClock(join(folder, `clock-of-${name}`), FAKETIME);
    clock.move(0);
    return clock;
  }

  /** Of the process. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      // Both spellings: the name has changed between versions.
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** From the true time, not from where it was. */
  move(seconds: number): void {
    writeFileSync(this.file, seconds < 0 ? String(seconds) : `+${seconds}`);
  }
}
