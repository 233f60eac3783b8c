// Exit code 0 if the REST door of this container answers. The image has no curl; and whoever runs the check is the service's own neighbour.
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { env, exit } from 'node:process';

const { CURFEW_HTTP_HOST: listens = '127.0.0.1', CURFEW_HTTP_PORT: port = '7400' } = env;
const everywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' };
// The certificate names the service as its callers know it, and that is not how this check reaches it.
const options = {
  host: String(everywhere[listens] ?? listens),
  port,
  path: '/healthz',
  timeout: 2000,
  rejectUnauthorized: false,
};
const get = env.CURFEW_TLS_CERT_FILE ? getSecure : getPlain;

get(options, (response) => exit(response.statusCode === 200 ? 0 : 1))
  .on('timeout', () => exit(1))
  .on('error', () => exit(1));
