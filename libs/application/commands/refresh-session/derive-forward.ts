import { deriveSuccessor, hashSecret, type Generation } from '#domain';

/**
 * Derives the secret of generation `to` from a presented one through the salts in between.
 * @throws Error when a salt or pepper is missing or the result is not what the log says: a defect or a lost key, never an answer.
 */
export function deriveForward(
  presented: { readonly gen: number; readonly secret: Uint8Array },
  to: number,
  generations: ReadonlyMap<number, Generation>,
  pepperOf: (id: number) => Uint8Array | undefined,
): Uint8Array {
  let secret = presented.secret;
  for (let gen = presented.gen + 1; gen <= to; gen += 1) {
    const generation = generations.get(gen);
    const pepper = generation?.derivation && pepperOf(generation.derivation.pepperId);
    if (!generation?.derivation || !pepper) throw new Error(`generation ${gen} cannot be derived`);
    secret = deriveSuccessor(secret, Buffer.from(generation.derivation.salt, 'base64url'), pepper);
  }
  if (hashSecret(secret) !== generations.get(to)?.secretHash)
    throw new Error(`generation ${to} derives differently`);
  return secret;
}
