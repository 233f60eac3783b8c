/** `CURFEW_TEST_VERBOSE=1` prints what services and nodes say and what is done to them. */
export const VERBOSE = process.env['CURFEW_TEST_VERBOSE'] !== undefined;

/** At once, with the seconds since the start: Jest's console would hold it back. */
export const say = (line: string): void => {
  process.stderr.write(`${(performance.now() / 1_000).toFixed(2)} ${line}\n`);
};
