import { ERROR_CATALOGUE, ERROR_CODES, type ErrorEntry } from '#contracts';
import { documentedSettings } from '#platform';
import { Environment } from '../config/environment.js';
import { generatedFrom } from './generated-from.js';

const statusOf = ({ http, grpc, retryable }: ErrorEntry): string => {
  const answer = http === 0 ? 'at start, exit code 1' : `HTTP ${http}, gRPC ${grpc}`;
  return retryable ? `${answer}; the same call may succeed later` : answer;
};

/** `docs/reference/errors.md` */
export function errorsPage(): string {
  const sections = ERROR_CODES.map((code) => {
    const entry: ErrorEntry = ERROR_CATALOGUE[code];
    return `## ${code}\n\n${entry.title} (${statusOf(entry)}).\n\n${entry.doc}\n`;
  });
  return `${generatedFrom('libs/contracts/error-catalogue.ts')}

# Errors

REST answers errors as \`application/problem+json\` (RFC 9457): \`type\` (\`urn:curfew:error:<code>\`), \`title\`, \`status\`,
\`code\`, and where they apply \`detail\`, \`field\` (the field at fault), \`errorId\` (of a defect: it finds the log entry) and the
header \`Retry-After\`. gRPC answers a status whose trailer holds \`curfew-error-code\`, \`curfew-error-field\`,
\`curfew-error-id\` and \`retry-after\`. Programs go by the code; titles and details are for people and may change.

${sections.join('\n')}`;
}

/** `docs/reference/configuration.md` */
export function configurationPage(): string {
  const quoted = (text: string) => (text.includes('`') ? text : `\`${text}\``);
  const sections = documentedSettings(Environment).map(({ name, accepts, doc, default: standard }) => {
    const byDefault = standard === undefined ? 'none' : quoted(standard);
    return `## ${name}\n\n${doc}\n\n- Accepts: ${accepts}\n- Default: ${byDefault}\n`;
  });
  return `${generatedFrom('apps/session-service/config/environment.ts, libs/revocation-bus/kafka/kafka-environment.ts')}

# Configuration

The service reads its settings from the environment, once, at start. A name that begins with \`CURFEW_\` and is not listed here
stops the start, and so does one that looks like a misspelt \`KAFKA_\` setting, and a value that is not accepted: the error names the settings, never their values. An empty setting
counts as absent. \`CURFEW_URL\`, \`CURFEW_API_KEY\` and \`CURFEW_API_KEY_FILE\` belong to the \`curfew\` command and are left alone.

${sections.join('\n')}`;
}
