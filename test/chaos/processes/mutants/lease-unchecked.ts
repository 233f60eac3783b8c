import { Lease } from '../../../../libs/sdk/core/lease.js';

/** A node whose lease never ends, once it has one. */
const forEver = (): number => Number.MAX_SAFE_INTEGER;
Lease.prototype.remaining = forEver;
Lease.prototype.remainingAt = forEver;
