import { Lease } from '../../../../libs/sdk/core/lease.js';

/** A node whose lease never ends, once it has one. */
Lease.prototype.remaining = () => Number.MAX_SAFE_INTEGER;
