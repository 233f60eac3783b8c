import { jest } from '@jest/globals';

// Processes start and stop in these suites; a condition that never comes true still ends its test. Long rounds take longer.
const ROUND_MS = 15_000;
jest.setTimeout(120_000 + Number(process.env['ROUNDS'] ?? 0) * ROUND_MS + Number(process.env['PAUSE'] ?? 0));
