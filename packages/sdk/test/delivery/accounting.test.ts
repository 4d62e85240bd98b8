import { join } from 'node:path';
import { AuditService, type HttpServer, serveHttp } from '@tallystick/server';
import { writer } from '@tallystick/server/store';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditEmitter, type DeliveryReport } from '../../src/index.ts';
import { httpTransport } from '../../src/transport/http.ts';
import { runChild } from '../support/run-child.ts';
import { writtenToDisk } from '../support/spool.ts';

// Everything here is real: a process that emits more than its buffer holds and is killed, its successor, HTTP, the service, its
// chain and its accounts of producers.

const tenants = ['acme', 'globex', 'initech'];
let directory: ReturnType<typeof tempDir>;
let service: AuditService;
let server: HttpServer;
let apiKey: string;

beforeAll(async () => {
  directory = tempDir();
  service = await AuditService.open({
    store: { directory: join(directory.path, 'data') },
    logName: 'log.test',
    checkpointIntervalMs: 0,
  });
  server = await serveHttp(service, { port: 0, logger: false });
  ({ key: apiKey } = await service.keys.create({ name: 'sdk', scopes: ['events:write'], tenants }));
}, 180_000);
afterAll(async () => {
  await server.close();
  await service.close();
  directory.remove();
});

/** A process that emits more than its buffer holds, first while the service runs and then while it is away. */
function flooding(config: string) {
  const script = `${writtenToDisk}
    const emitter = sdk.createAuditEmitter({ service: 'flood', bufferSize: 50, batchSize: 40, flushIntervalMs: 5, maxRetries: 1,
      retryDelaysMs: [20], probeIntervalMs: 50, transport: httpTransport({ url: process.env.AUDIT, apiKey: process.env.KEY }), clock, ${config} });
    await emitter.flush();
    const tenants = ${JSON.stringify(tenants)};
    const burst = (events) => { for (let n = 0; n < events; n++)
      emitter.emit({ tenantId: tenants[n % 3], eventType: 'a.b', actorType: 'system', actorId: 's', context: { n } }); };
    const say = (what) => console.log(what + JSON.stringify({ ...emitter.report(), producer: emitter.producerId,
      metrics: Object.fromEntries(emitter.metrics.samples().filter(({ labels }) => labels.le === undefined).map(({ name, value }) => [name, value])) }));
    for (let n = 0; n < 20; n++) { burst(70); await emitter.flush({ deadlineMs: 10 }); }
    await emitter.flush({ deadlineMs: 30_000 });
    say('chained ');
    process.once('message', async () => {
      for (let n = 0; n < 20; n++) { burst(70); await emitter.flush({ deadlineMs: 10 }); }
      // A kill may lose what is not on disk yet.
      if (${config.includes('spool')}) await written(emitter);
      say('done ');
      setInterval(() => {}, 1000);
    });`;
  return runChild(script, { AUDIT: server.url, KEY: apiKey, SPOOL: join(directory.path, 'spool') });
}

interface Said extends DeliveryReport {
  readonly producer: string;
  readonly metrics: { readonly [name: string]: number };
}

/** Runs such a process, closes the service after half of the events, and kills the process after the rest. */
async function flood(config: string): Promise<Said> {
  const child = flooding(config);
  await child.said('chained {');
  await server.close();
  child.process.send('go on');
  await child.said('done {');
  child.process.kill('SIGKILL');
  const { output } = await child.ended;
  server = await serveHttp(service, { port: 0, logger: false });
  return JSON.parse(/^done (.*)$/m.exec(output)![1]!);
}

/** For each tenant, the producer's sequence numbers in the chain: those of events, and those within declared gaps. */
async function chained(producer: string) {
  const delivered = new Map<string, number[]>();
  const lost = new Map<string, number[]>();
  const add = (to: Map<string, number[]>, tenant: string, number: number) =>
    to.set(tenant, [...(to.get(tenant) ?? []), number]);
  const rows = await service.database.query<{ record: string }>(
    writer,
    `select record from audit_records where event_type in ('a.b', 'delivery.gap') order by tenant_id, sequence_number`,
    [],
  );
  for (const { record } of rows) {
    const { event, ingest, tenant_id: tenant } = JSON.parse(record);
    if (event.event_type === 'a.b' && ingest.producer_id === producer) {
      add(delivered, tenant, ingest.producer_seq);
    }
    if (event.event_type === 'delivery.gap' && event.metadata.producer_id === producer) {
      for (let n = event.metadata.from; n <= event.metadata.to; n++) add(lost, tenant, n);
    }
  }
  return { delivered, lost };
}

interface Account {
  readonly tenant_id: string;
  readonly settled_to: number;
  readonly highest_seen: number;
  readonly final_seq: number | null;
}

async function accounts(producer: string) {
  const rows = await service.database.query<Account & { open_ranges: number }>(
    writer,
    `select tenant_id, settled_to::int, highest_seen::int, final_seq::int,
            (select count(*)::int from audit_producer_ranges r
             where r.producer_id = p.producer_id and r.tenant_id = p.tenant_id) as open_ranges
     from audit_producers p where producer_id = $1 order by tenant_id`,
    [producer],
  );
  return [...rows];
}

const count = (numbers: Map<string, number[]>) =>
  [...numbers.values()].reduce((sum, list) => sum + list.length, 0);
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test('with mode `always`, every emitted event is either delivered or declared as lost', async () => {
  const spool = `spool: { directory: process.env.SPOOL, mode: 'always', fsyncIntervalMs: 7, maxBytes: 150_000 }`;
  const before = await flood(spool);
  expect(before.emitted).toBe(2_800);
  expect(before.pending).toBe(0);
  // Some events were delivered, some are on disk, and some were dropped.
  expect(before.delivered).toBeGreaterThan(50);
  expect(before.spooled).toBeGreaterThan(50);
  expect(before.dropped).toBeGreaterThan(50);
  expect(before.metrics).toMatchObject({
    audit_events_written_total: before.delivered,
    audit_events_dropped_total: before.dropped,
    audit_spool_size: before.spooled,
    audit_buffer_size: 0,
  });

  const successor = createAuditEmitter({
    ...{ service: 'flood', tenantId: 'acme', flushOnExit: false },
    transport: httpTransport({ url: server.url, apiKey }),
    spool: { directory: join(directory.path, 'spool') },
  });
  const after = await successor.close({ deadlineMs: 60_000 });
  expect(after).toMatchObject({ inherited: before.spooled, delivered: before.spooled, spooled: 0 });

  const { delivered, lost } = await chained(before.producer);
  expect(count(delivered)).toBe(before.delivered + after.delivered);
  expect(count(lost)).toBe(before.dropped);
  expect(count(delivered) + count(lost)).toBe(before.emitted);
  const rows = await accounts(before.producer);
  expect(rows).toHaveLength(3);
  for (const { tenant_id, ...book } of rows) {
    const numbers = [...(delivered.get(tenant_id) ?? []), ...(lost.get(tenant_id) ?? [])];
    const last = numbers.length;
    expect(numbers.toSorted((a, b) => a - b)).toEqual(upTo(last));
    // No range is open. A killed process did not declare its end.
    expect(book).toEqual({ settled_to: last, highest_seen: last, final_seq: null, open_ranges: 0 });
  }
}, 120_000);

test('without a spool, only the events in memory and the undeclared losses are missing in the chain', async () => {
  const before = await flood('');
  expect(before.emitted).toBe(2_800);
  expect(before).toMatchObject({ spooled: 0, pending: before.metrics.audit_buffer_size });
  expect(before.pending).toBeGreaterThan(0);

  const { delivered, lost } = await chained(before.producer);
  expect(count(delivered)).toBe(before.delivered);
  const rows = await accounts(before.producer);
  let settled = 0;
  for (const { tenant_id, ...book } of rows) {
    const numbers = [...(delivered.get(tenant_id) ?? []), ...(lost.get(tenant_id) ?? [])];
    settled += numbers.length;
    expect(numbers.toSorted((a, b) => a - b)).toEqual(upTo(numbers.length));
    expect(book).toMatchObject({ settled_to: numbers.length, final_seq: null, open_ranges: 0 });
  }
  const tail = before.emitted - settled;
  expect(before.delivered + count(lost) + tail).toBe(before.emitted);
  // The events in memory, and those that were dropped after the last delivered batch.
  expect(tail).toBe(before.pending + before.dropped - count(lost));
  expect(before.pending).toBeLessThanOrEqual(50);
}, 120_000);
