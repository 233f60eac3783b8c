import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, tail } from './run-command.js';

const WITHIN_MS = 30_000;
const CLIENT = 'curfew-client';

export interface TlsMaterial {
  /** PEM. */
  readonly ca: string;
  /** Files that the broker reads. */
  readonly keyStore: string;
  readonly trustStore: string;
  /** PEM of a client's certificate and key. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly clientPrincipal: string;
}

/** An authority for two days, a broker's certificate for 127.0.0.1 and localhost, a client's. Needs `openssl`; 0.1 s. */
export async function makeTlsMaterial(parent: string): Promise<TlsMaterial> {
  const folder = join(parent, 'tls');
  await mkdir(folder, { mode: 0o700 });
  const run = async (...args: string[]): Promise<void> => {
    const { code, output } = await runCommand('openssl', args, { within: WITHIN_MS, cwd: folder });
    if (code !== 0) throw new Error(`openssl ${args[0] ?? ''}: ${tail(output)}`);
  };
  const newKey = (name: string): string[] => [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', `${name}.key`, '-subj', `/CN=${name}`],
  ];
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
  await run('req', '-x509', ...newKey('ca'), '-out', 'ca.crt', '-days', '2');
  await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of ['broker', CLIENT]) {
    await run('req', '-new', ...newKey(name), '-out', `${name}.csr`);
    const issuer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    await run('x509', '-req', '-in', `${name}.csr`, ...issuer, '-extfile', 'names', '-out', `${name}.crt`);
  }
  const keyStore = join(folder, 'broker.pem');
  await writeFile(keyStore, (await read('broker.key')) + (await read('broker.crt')), { mode: 0o600 });
  return {
    ca: await read('ca.crt'),
    keyStore,
    trustStore: join(folder, 'ca.crt'),
    clientCertificate: await read(`${CLIENT}.crt`),
    clientKey: await read(`${CLIENT}.key`),
    clientPrincipal: `User:CN=${CLIENT}`,
  };
}
