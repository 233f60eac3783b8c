import { createHash, randomBytes } from 'node:crypto';

const FORMAT = /^cfk_[A-Za-z0-9_-]{43}$/;

/** `cfk_` and 256 random bits: nothing to guess, so one fast hash of it is enough (DESIGN §9). */
export const newApiKeySecret = (): string => `cfk_${randomBytes(32).toString('base64url')}`;

/** What is stored: SHA-256 over the whole text. */
export const hashApiKeySecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Whether it can be an API key at all: spares a look-up for garbage. */
export const isApiKeySecret = (text: string): boolean => FORMAT.test(text);
