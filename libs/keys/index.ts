export { KeyRing } from './key-ring.js';
export { MasterKey, loadOrCreateMasterKeyFile } from './master-key.js';
export { keysMigrations } from './migrations.js';
export { PostgresApiKeys } from './postgres-api-keys.js';
export { PostgresPersonalDataVault, type VaultOptions } from './postgres-personal-data-vault.js';
