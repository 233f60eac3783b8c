import 'reflect-metadata';
import { SetMetadata } from '@nestjs/common';
import type { ApiKeyScope } from '#contracts';

/** Who may call a route or method. Without one the guard refuses every call (G10: the default is deny). */
export type Access =
  | { readonly kind: 'scope'; /** Any of them lets in. */ readonly scopes: readonly ApiKeyScope[] }
  | { readonly kind: 'any-key' }
  | { readonly kind: 'public' };

const ACCESS = 'curfew:access';

/** Callers whose API key has the scope; of several, any. Which of them a call needs in the end is then the use case's to say. */
export const RequireScope = (...scopes: readonly [ApiKeyScope, ...ApiKeyScope[]]) =>
  SetMetadata(ACCESS, { kind: 'scope', scopes } satisfies Access);

/** Callers with any API key in force. */
export const AnyKey = () => SetMetadata(ACCESS, { kind: 'any-key' } satisfies Access);

/** Everyone. DESIGN §9 allows it for the key set and for health only. */
export const Public = () => SetMetadata(ACCESS, { kind: 'public' } satisfies Access);

/** What the method itself declares; a class cannot declare it for its methods, so that a new method starts out closed. */
export const accessOf = (handler: object): Access | undefined =>
  Reflect.getMetadata(ACCESS, handler) as Access | undefined;
