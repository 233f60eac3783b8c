import type { ApiKeyScope } from '#contracts';
import type { Service } from './service.js';

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  /** `default` if absent. */
  readonly tenants?: readonly string[];
}

/**
 * Makes an API key with the service's first one.
 * @returns the secret
 * @throws Error with the service's answer when it refuses
 */
export async function createApiKey(
  { http, apiKey }: Pick<Service, 'http' | 'apiKey'>,
  key: NewApiKey,
): Promise<string> {
  const response = await fetch(`${http}/v1/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(key),
  });
  if (response.status !== 201) throw new Error(`making a key: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { key: string }).key;
}
