/** Exit codes by kind: scripts tell them apart. 130 is what a shell makes of Ctrl-C. */
export const EXIT_CODES = { refused: 1, usage: 2, unreachable: 3, incomplete: 4, interrupted: 130 } as const;

/** What the command says on standard error, and the code it ends with. */
export class CliError extends Error {
  override readonly name: string = 'CliError';

  constructor(
    readonly kind: keyof typeof EXIT_CODES,
    message: string,
  ) {
    super(message);
  }
}

/** The service gave no answer. */
export class NoAnswer extends CliError {
  override readonly name = 'NoAnswer';

  /** @param outcomeUnknown true when the call may have reached the service, and have been done */
  constructor(
    message: string,
    readonly outcomeUnknown: boolean,
  ) {
    super('unreachable', message);
  }
}

/** The service answered with a problem. */
export class Refused extends CliError {
  override readonly name = 'Refused';

  constructor(
    message: string,
    /** HTTP status. */
    readonly status: number,
  ) {
    super('refused', message);
  }
}
