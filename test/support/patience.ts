import { jest } from '@jest/globals';

// Processes start and stop in these suites; a condition that never comes true still ends its test.
jest.setTimeout(120_000);
