import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tempDir } from '@tallystick/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationExamples } from '../../../src/http/openapi/operation-examples.ts';
import { Harness } from '../harness.ts';

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document
type Any = any;

/** What a newcomer reads in the OpenAPI document, and pastes from it into a shell. */
let http: Harness;
let document: Any;
let operations: { readonly path: string; readonly method: string; readonly operation: Any }[];
let ajv: Ajv2020;
let key: string;

beforeAll(async () => {
  http = await Harness.open();
  const made = await http.service.keys.create({
    ...{ name: 'reader of the document', subject: 'maria' },
    scopes: ['admin', 'approvals:request', 'approvals:decide'],
  });
  key = made.key;
  document = (await http.get('/openapi.json', '')).json;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Any).map(([method, operation]) => ({ path, method, operation })),
  );
  ajv = new Ajv2020({ strict: false });
  (formats as unknown as { default: (on: Ajv2020) => void }).default(ajv);
  ajv.addSchema({ $id: 'api', ...document });
}, 180_000);
afterAll(async () => await http?.[Symbol.asyncDispose]());

/** Errors of a value by the schema at a JSON pointer of the document. */
function errorsOf(pointer: readonly string[], value: unknown): unknown {
  const escaped = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate = ajv.compile({ $ref: `api#/${escaped.join('/')}` });
  return validate(value) ? undefined : [pointer.join(' '), validate.errors];
}

describe('the document', () => {
  it('says for each operation what it does, and for each parameter what it means', () => {
    const silent = operations.flatMap(({ operation }) => {
      const { operationId, summary, description, parameters = [] } = operation;
      const nameless = parameters.filter((each: Any) => !each.description).map((each: Any) => each.name);
      return summary && description && nameless.length === 0 ? [] : [[operationId, nameless]];
    });
    expect(silent).toEqual([]);
    const used = new Set(operations.flatMap(({ operation }) => operation.tags));
    expect(document.tags.map((tag: Any) => tag.name).sort()).toEqual([...used].sort());
  });

  it('bounds each text, number and list of a parameter', () => {
    const open = operations.flatMap(({ operation }) =>
      (operation.parameters ?? [])
        .filter(({ in: place }: Any) => place !== 'header')
        .filter(({ schema }: Any) => {
          const { type, enum: values, const: only, pattern, format, maxLength, maximum, maxItems } = schema;
          return (
            ![values, only, pattern, format, maxLength, maximum, maxItems].some(
              (each) => each !== undefined,
            ) &&
            type !== 'boolean' &&
            schema.patternProperties === undefined
          );
        })
        .map(({ name }: Any) => `${operation.operationId} ${name}`),
    );
    expect(open).toEqual([]);
  });

  it('has an example of each operation, and each body and answer has its schema', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(Object.keys(operationExamples).sort()).toEqual(ids.sort());
    let compared = 0;
    for (const { path, method, operation } of operations) {
      const at = ['paths', path, method];
      for (const [index, { example }] of (operation.parameters ?? []).entries()) {
        if (example === undefined) continue;
        expect(errorsOf([...at, 'parameters', String(index), 'schema'], example)).toBeUndefined();
      }
      const json = operation.requestBody?.content['application/json'];
      if (operation.requestBody !== undefined)
        expect(
          errorsOf([...at, 'requestBody', 'content', 'application/json', 'schema'], json.example),
        ).toBeUndefined();
      for (const [status, { content = {} }] of Object.entries<Any>(operation.responses)) {
        const { example } = content['application/json'] ?? {};
        if (example === undefined) continue;
        compared += 1;
        const schema = [...at, 'responses', status, 'content', 'application/json', 'schema'];
        expect(errorsOf(schema, example)).toBeUndefined();
      }
    }
    expect(compared).toBeGreaterThan(5);
  });

  it('has no example of a text that its own pattern refuses', () => {
    let compared = 0;
    const visit = (value: unknown, at: readonly string[]) => {
      if (typeof value !== 'object' || value === null) return;
      const { examples, type } = value as { examples?: unknown; type?: unknown };
      if (Array.isArray(examples) && typeof type === 'string')
        for (const example of examples) {
          compared += 1;
          expect(errorsOf(at, example)).toBeUndefined();
        }
      for (const [name, member] of Object.entries(value)) visit(member, [...at, name]);
    };
    visit(document.components.schemas, ['components', 'schemas']);
    expect(compared).toBeGreaterThan(50);
  });
});

/**
 * Examples that this service can't fulfil, because it does not have the thing that they name, or does not know the credential. None is
 * refused as wrong.
 */
const unfulfilled: { readonly [operationId: string]: string } = {
  getDeadLetter: 'NOT_FOUND',
  purgeDeadLetter: 'NOT_FOUND',
  retryDeadLetter: 'NOT_FOUND',
  requestApproval: 'INTENT_UNKNOWN',
  getApproval: 'NOT_FOUND',
  decideApproval: 'NOT_FOUND',
  claimApproval: 'NOT_FOUND',
  withdrawApproval: 'NOT_FOUND',
  streamApproval: 'NOT_FOUND',
  retryWebhookDelivery: 'NOT_FOUND',
  revokeApiKey: 'NOT_FOUND',
  revokeViewerToken: 'NOT_FOUND',
  // Answers about the viewer token of the call, and refuses other credentials.
  getCurrentViewerToken: 'FORBIDDEN',
  signInToConsole: 'UNAUTHENTICATED',
};

describe('curl', () => {
  it('runs the example of each operation', { timeout: 120_000 }, async () => {
    const dir = tempDir();
    const refused: { [operationId: string]: string } = {};
    for (const { operation } of operations) {
      const { operationId, 'x-codeSamples': samples } = operation;
      const seconds = operationExamples[operationId]!.endless ? 1 : 20;
      const command = samples[0].source.replace(/^curl /, `curl -w '\\n%{http_code}' --max-time ${seconds} `);
      const output = await shell(command, dir.path);
      if (!/^[23]\d\d$/.test(output.slice(-3))) refused[operationId] = codeIn(output);
    }
    expect(refused).toEqual(unfulfilled);
    // The examples with a file have written it.
    expect(readdirSync(dir.path).sort()).toEqual(
      Object.values(operationExamples)
        .flatMap(({ file = [] }) => file)
        .sort(),
    );
    dir.remove();
  });
});

/** The code of the problem in an output; the output itself if it has none. */
function codeIn(output: string): string {
  return /"code":"([A-Z_]+)"/.exec(output)?.[1] ?? output;
}

/** What a command writes to its standard output. */
async function shell(command: string, cwd: string): Promise<string> {
  const env = { ...process.env, TALLYSTICK_URL: http.url, TALLYSTICK_API_KEY: key };
  return await new Promise((resolve) => {
    execFile('sh', ['-c', command], { cwd, env, maxBuffer: 10_000_000 }, (_, output) => resolve(output));
  });
}
