export { createCurfew } from './core/curfew.js';
export { CurfewSdkError } from './core/error.js';
export type {
  Curfew,
  CurfewOptions,
  CurfewStats,
  Diagnostic,
  DiagnosticKind,
  Session,
  VerifyOptions,
} from './core/curfew.types.js';
export type { RevocationSource } from './core/revocation-source.js';
export type {
  CreateOptions,
  NewSession,
  DeviceInput,
  IssuedSession,
  ListOptions,
  MassRevocation,
  MassRevoked,
  NodeReceipt,
  Receipt,
  ReceiptOptions,
  RefreshOptions,
  RevokeAllOptions,
  RevokedSession,
  RevokeOptions,
  SessionInfo,
  SessionPage,
  WriteAnswer,
  SessionsClient,
  TenantOption,
} from './http/sessions-client.types.js';
