import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedTransport, embedded } from '../src/embedded.ts';
import { anEvent, logName, newTenant } from './events.ts';

let directory: ReturnType<typeof tempDir>;
let transport: EmbeddedTransport;
beforeAll(async () => {
  directory = tempDir();
  transport = await embedded({ directory: directory.path, logName });
});
afterAll(async () => {
  await transport?.close();
  directory?.remove();
});

const delivery = { producer_id: uuidv7(), service: 'test' };

test('what is sent is chained when it resolves, and a second time answers with the first receipt', async () => {
  const events = [JSON.stringify(anEvent(newTenant()))];
  const first = await transport.send({ events, delivery: { ...delivery, sequences: [1] } });
  expect(first).toMatchObject([{ status: 'chained', receipt: { sequence_number: 1 } }]);
  const again = await transport.send({ events, delivery: { ...delivery, sequences: [1] } });
  expect(again).toEqual([{ ...first[0], status: 'duplicate' }]);
});

test('a batch without events carries declared losses and the last number', async () => {
  const tenant = newTenant();
  const said = {
    gaps: [{ tenant_id: tenant, from: 1, to: 3, reason: 'buffer_full' }],
    final: [{ tenant_id: tenant, final_seq: 3 }],
  };
  expect(await transport.send({ events: [], delivery: { ...delivery, ...said } })).toEqual([]);
  const chained = await transport.service.database.query(
    { role: 'reader', tenants: [tenant] },
    'select event_type from audit_records where tenant_id = $1 order by sequence_number',
    [tenant],
  );
  expect(chained).toEqual(
    ['system.genesis', 'delivery.gap', 'audit.accounts_changed'].map((event_type) => ({ event_type })),
  );
});

// A producer id that is not a UUID reached the database, which refused the transaction. The search for the refused event then
// turned good events into dead letters.
test('malformed delivery metadata is refused before it can cost an event', async () => {
  const events = [JSON.stringify(anEvent(newTenant()))];
  const wrong = transport.send({ events, delivery: { producer_id: 'me' } });
  await expect(wrong).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
  expect(await transport.send({ events, delivery })).toMatchObject([{ status: 'chained' }]);
});
