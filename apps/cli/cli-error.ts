/** Exit codes by kind: scripts tell them apart. */
export const EXIT_CODES = { refused: 1, usage: 2, unreachable: 3 } as const;

/** What the command says on standard error, and the code it ends with. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly kind: keyof typeof EXIT_CODES,
    message: string,
  ) {
    super(message);
  }
}
