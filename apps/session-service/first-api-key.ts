import { open, readFile, rename, rm } from 'node:fs/promises';
import type { CommandBus } from '@nestjs/cqrs';
import { CreateApiKey, type ApiKeys, type Caller } from '#application';
import { API_KEY_SCOPES, CurfewError } from '#contracts';

/** Who makes the first key: the service itself, at its start. */
const INSTALLER: Caller = { keyId: 'system', scopes: ['admin'], tenants: ['*'], audiences: ['*'] };

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Whether the file is a place that an earlier start took and then died before it had a key to put there. */
async function isReserved(file: string): Promise<boolean> {
  try {
    return (await readFile(file, 'utf8')) === '';
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  // `wx` follows no link and takes nobody's file.
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes the installation's first API key, with every scope and every tenant, if there is none yet, and puts it into a file
 * of mode 0600. A start that is killed in between leaves an empty file, at which the next one makes another key: nobody is
 * locked out.
 * @returns the key if it was made now
 * @throws CurfewError ERR_CONFIG when the file cannot be written, or is there already and holds something
 */
export async function makeFirstApiKey(
  file: string,
  apiKeys: Pick<ApiKeys, 'any'>,
  commands: Pick<CommandBus, 'execute'>,
): Promise<string | undefined> {
  try {
    const reserved = await isReserved(file);
    if (!reserved && (await apiKeys.any())) return undefined;
    if (!reserved) await writeNew(file, '');
    const { key } = await commands.execute(
      new CreateApiKey(
        { caller: INSTALLER, correlationId: 'first-start' },
        { name: 'first key', scopes: API_KEY_SCOPES, tenants: ['*'], audiences: ['*'] },
      ),
    );
    const draft = `${file}.new`;
    await rm(draft, { force: true });
    await writeNew(draft, `${key}\n`);
    await rename(draft, file);
    return key;
  } catch (cause) {
    const { syscall, code } = cause as NodeJS.ErrnoException;
    if (typeof syscall !== 'string') throw cause;
    throw new CurfewError('ERR_CONFIG', {
      detail: `CURFEW_FIRST_API_KEY_FILE: the file for the first API key cannot be made (${code ?? syscall})`,
      cause,
    });
  }
}
