import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { embedded } from '@tallystick/server/embedded';
import { createHttpApp } from '@tallystick/server/http';
import { tempDir } from '@tallystick/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenApi, openApiTypes } from '../../../../scripts/openapi-types.ts';
import { createAuditEmitter, emitterDefaults } from '../../src/index.ts';
import { httpTransport } from '../../src/transport/http.ts';
import { auditServer, problem } from '../support/audit-server.ts';
import { conformance } from '../support/conformance.ts';
import { someEvent } from '../support/events.ts';
import { typeCheck } from '../support/snippets.ts';

// Within the repository, so that package names resolve to these sources.
const directory = resolve(import.meta.dirname, `../../../../dist/openapi-${process.pid}`);
let document: OpenApi;

beforeAll(async () => {
  using store = tempDir();
  const transport = await embedded({ directory: join(store.path, 'data'), logName: 'log.test' });
  const app = createHttpApp(transport.service, { logger: false });
  document = (await app.inject('/openapi.json')).json();
  await app.close();
  await transport.close();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The compiler's messages for each contract, by its name. */
function check(contracts: ReadonlyMap<string, OpenApi>): Map<string, string[]> {
  for (const [name, contract] of contracts) {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, 'service.ts'), openApiTypes(contract));
    writeFileSync(join(directory, name, 'conformance.ts'), conformance);
  }
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: { noEmit: true, rewriteRelativeImportExtensions: false },
      include: ['*/*.ts'],
    }),
  );
  const lines = typeCheck(directory).split('\n');
  expect(lines.filter((line) => /service\.ts|^error/.test(line))).toEqual([]);
  const of = (name: string) => lines.filter((line) => line.startsWith(`${name}/conformance.ts`));
  return new Map([...contracts.keys()].map((name) => [name, of(name)]));
}

// biome-ignore lint/suspicious/noExplicitAny: tests read the document at many places
type Loose = any;

/** A copy of the document with one change. */
function changed(change: (batch: Loose, schemas: Loose) => void): OpenApi {
  const copy = structuredClone(document) as Loose;
  change(copy.paths['/v1/audit/events/batch'].post, copy.components.schemas);
  return copy;
}

test("the transport conforms to the service's document, and each breaking change of the document causes a compile error", () => {
  const breaking: Record<string, OpenApi> = {
    'a member of the delivery becomes required': changed((_, { Delivery }) => {
      Delivery.properties.region = { type: 'string' };
      Delivery.required.push('region');
    }),
    'a member of the delivery goes': changed((_, { Delivery }) => {
      delete Delivery.properties.sequences;
    }),
    'a member of a gap is renamed': changed((_, { Delivery }) => {
      const gap = Delivery.properties.gaps.items;
      gap.properties.first = gap.properties.from;
      delete gap.properties.from;
      gap.required = [];
    }),
    'an event needs more': changed((_, { SubmittedEvent }) => {
      SubmittedEvent.required.push('severity');
    }),
    'there is one more status of an event': changed((_, { BatchResult }) => {
      BatchResult.properties.results.items.anyOf[0].properties.status.enum.push('deferred');
    }),
    'a receipt loses its hash': changed((_, { Receipt }) => {
      delete Receipt.properties.record_hash;
    }),
    'a sequence becomes a text': changed((_, { Receipt }) => {
      Receipt.properties.sequence_number = { type: 'string' };
    }),
    'results have no index': changed((_, { BatchResult }) => {
      for (const item of BatchResult.properties.results.items.anyOf) delete item.properties.index;
    }),
    'there is one more success': changed((batch) => {
      batch.responses[200] = batch.responses[201];
    }),
    'the path is another': {
      ...document,
      paths: rename(document.paths, '/v1/audit/events/batch', '/v2/events'),
    },
  };
  const contracts = Object.entries(breaking).map(
    ([, contract], index) => [`change-${index}`, contract] as const,
  );
  const found = check(new Map([['today', document], ...contracts]));
  expect(found.get('today')).toEqual([]);
  for (const [index, name] of Object.keys(breaking).entries()) {
    expect(found.get(`change-${index}`)!.length, name).toBeGreaterThan(0);
  }
}, 120_000);

function rename<T>(record: { readonly [name: string]: T }, from: string, to: string): { [name: string]: T } {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name === from ? to : name, value]),
  );
}

test('a schema keyword without a corresponding type is an error', () => {
  const unknown = changed((_, { Receipt }) => {
    Receipt.not = { type: 'string' };
  });
  expect(() => openApiTypes(unknown)).toThrow('not');
});

// Types do not express patterns, lengths and ranges, so real requests are validated against the schemas.
test('real requests are valid by the document: events, gaps and the end', async () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'service', ...document });
  const isValid = ajv.compile({
    $ref: 'service#/paths/~1v1~1audit~1events~1batch/post/requestBody/content/application~1json/schema',
  });
  let refused = 0;
  const server = await auditServer((_, response, call) => {
    if (call > 1) return undefined;
    refused++;
    return problem(response, 400, 'BODY_MALFORMED');
  });
  const transport = httpTransport({ url: server.url });
  const emitter = createAuditEmitter({ service: 'checkout', transport, flushOnExit: false });
  emitter.emit(someEvent());
  await emitter.flush();
  emitter.emit(someEvent({ tenantId: 'not a tenant' }));
  emitter.emit(someEvent({ proof: { type: 'hash', hash: 'a'.repeat(64) }, metadata: { durationMs: 3 } }));
  await emitter.close();
  await server.close();
  expect(refused).toBe(1);
  const bodies = server.received.map(({ body }) => body);
  expect(bodies.flatMap(({ delivery }) => delivery.gaps)).toMatchObject([{ reason: 'batch_refused' }]);
  expect(bodies.at(-1)!.delivery.final).toHaveLength(1);
  for (const body of bodies) expect([isValid(body), isValid.errors]).toEqual([true, null]);
});

test('a batch is no larger than the service accepts', () => {
  const { events } = (document as Loose).paths['/v1/audit/events/batch'].post.requestBody.content[
    'application/json'
  ].schema.properties;
  expect(events.maxItems).toBeGreaterThanOrEqual(emitterDefaults.batchSize);
});
