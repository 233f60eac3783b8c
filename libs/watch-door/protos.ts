import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { decodeStrictly } from './decode-strictly.js';

/** The same path from the sources and from `dist`: the build copies the proto files beside the code. */
const PROTO_FOLDER = fileURLToPath(new URL('../contracts/proto/', import.meta.url));

const FILES = [
  'curfew/v1/session.proto',
  'curfew/v1/revocation.proto',
  'curfew/v1/audit.proto',
  'grpc/health/v1/health.proto',
];

/** Every package of the contract. */
export const PACKAGES = ['curfew.v1', 'grpc.health.v1'];

type AnyMethod = MethodDefinition<object, object>;

const isService = (definition: PackageDefinition[string]): definition is Record<string, AnyMethod> =>
  !('format' in definition);

/**
 * One revocation goes to every stream as the same object (see WatchMessage), so it is serialised once for all of them:
 * at 200 nodes that is most of the work of a fan-out.
 */
function serializeOnce(serialize: (message: object) => Buffer): (message: object) => Buffer {
  const done = new WeakMap<object, Buffer>();
  return (message) => {
    if (!('revocation' in message)) return serialize(message);
    let bytes = done.get(message);
    if (!bytes) done.set(message, (bytes = serialize(message)));
    return bytes;
  };
}

/** The gRPC contract as grpc-js wants it. Absent fields are undefined, 64-bit integers and enums are text. */
export function loadProtos(): PackageDefinition {
  const definition = loadSync(FILES, { includeDirs: [PROTO_FOLDER], longs: String, enums: String });
  for (const service of Object.values(definition).filter(isService))
    for (const method of Object.values(service)) {
      method.requestDeserialize = decodeStrictly(definition, method);
      if (method.path === '/curfew.v1.RevocationService/Watch')
        method.responseSerialize = serializeOnce(method.responseSerialize);
    }
  return definition;
}
