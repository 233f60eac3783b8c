import { describe, expect, it } from '@jest/globals';
import type { EventLogAlarm } from '../alarm.js';
import { eventLogContract, revocationLogContract } from '../contract.js';
import { anEvent, append, aRevocation, newStream } from '../testing/appends.js';
import { readWholeLog } from '../testing/until.js';
import { MemoryEventLog } from './memory-event-log.js';
import { MemoryBarriers, MemoryRevocationLog } from './memory-revocation-log.js';

const nothingToClose = (): Promise<void> => Promise.resolve();

eventLogContract('memory', () => {
  const alarms: EventLogAlarm[] = [];
  const log = new MemoryEventLog((alarm) => alarms.push(alarm));
  return Promise.resolve({ log, other: log, alarms, close: nothingToClose });
});

revocationLogContract('memory', () => {
  const log = new MemoryEventLog();
  const barriers = new MemoryBarriers();
  return Promise.resolve({
    log,
    revocations: new MemoryRevocationLog(log, barriers),
    others: new MemoryRevocationLog(log, barriers),
    cursorAt: (number) => `${number}:${number}:`,
    close: nothingToClose,
  });
});

describe('memory log with an open transaction', () => {
  it('holds the ordered read back and not the revocations', async () => {
    const log = new MemoryEventLog();
    const revocations = new MemoryRevocationLog(log);
    const late = log.begin();
    const [held, beyond] = [aRevocation(), aRevocation()];
    late.append([append(newStream(), -1, held)]);
    await log.append([append(newStream(), -1, anEvent(), beyond)]);

    expect(await readWholeLog(log)).toEqual([]);
    const page = await revocations.barrier('');
    expect(page.events.map(({ event }) => event.id)).toEqual([beyond.id]);

    late.commit();
    expect((await readWholeLog(log)).map(({ id }) => id)).toContain(held.id);
    expect((await revocations.read(page.cursor)).events.map(({ event }) => event.id)).toEqual([held.id]);
  });

  it('keeps its time when the store’s clock goes back', async () => {
    let clock = 5_000;
    const revocations = new MemoryRevocationLog(new MemoryEventLog(), new MemoryBarriers(), () => clock);
    expect((await revocations.barrier('')).referenceTime).toBe(5_000);
    clock = 1_000;
    expect((await revocations.barrier('')).referenceTime).toBe(5_000);
  });
});
