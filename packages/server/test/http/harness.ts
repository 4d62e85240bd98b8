import { uuidv7 } from '@tallystick/event';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import type { NewApiKey } from '../../src/access/api-keys.ts';
import { AuditService } from '../../src/app.ts';
import { type HttpServer, type ServeOptions, serveHttp } from '../../src/http/serve.ts';
import { KafkaGateway, type KafkaGatewayOptions } from '../../src/ingest/gateway/gateway.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import type { AuditServiceOptions } from '../../src/service-options.ts';
import { PgliteDatabase } from '../../src/store/pglite/pglite.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any;
}

export interface Request {
  readonly key?: string | undefined;
  readonly body?: string | Uint8Array | object;
  readonly headers?: Record<string, string>;
}

/** A real server on a real store. Every response is compared with the OpenAPI document of the server. */
export class Harness implements AsyncDisposable {
  readonly service: AuditService;
  readonly server: HttpServer;
  readonly admin: string;
  readonly #gateway: KafkaGateway | undefined;
  readonly #directory: { remove(): void };
  readonly #check: (method: string, path: string, answer: Answer) => void;

  private constructor(
    service: AuditService,
    server: HttpServer,
    gateway: KafkaGateway | undefined,
    admin: string,
    directory: { remove(): void },
    check: (method: string, path: string, answer: Answer) => void,
  ) {
    this.service = service;
    this.server = server;
    this.#gateway = gateway;
    this.admin = admin;
    this.#directory = directory;
    this.#check = check;
  }

  static async open(
    options: Omit<ServeOptions, 'gateway'> & {
      readonly gateway?: KafkaGatewayOptions;
      readonly store?: AuditServiceOptions['store'];
      readonly service?: Partial<AuditServiceOptions>;
    } = {},
  ): Promise<Harness> {
    const directory = tempDir();
    const {
      store = await embeddedStore(`${directory.path}/data`),
      service: serviceOptions,
      gateway: hand,
      ...rest
    } = options;
    const metrics = new ServiceMetrics({ process: false });
    const service = await AuditService.open({
      store,
      signerDirectory: `${directory.path}/signer`,
      logName: 'log.test',
      checkpointIntervalMs: 0,
      observer: metrics,
      ...serviceOptions,
    });
    const gateway = hand && new KafkaGateway(service, hand);
    const server = await serveHttp(service, {
      port: 0,
      gateway,
      logger: false,
      auditReads: false,
      tailIntervalMs: 10,
      metrics,
      ...rest,
    });
    const { key } = await service.keys.create({ name: 'admin', scopes: ['admin'] });
    const described = await fetch(`${server.url}/openapi.json`);
    expect(described.status).toBe(200);
    const document = await described.json();
    return new Harness(service, server, gateway, key, directory, checker(document));
  }

  get url(): string {
    return this.server.url;
  }

  async key(tenants: readonly string[] | undefined, ...scopes: NewApiKey['scopes']): Promise<string> {
    const { key } = await this.service.keys.create({
      name: 'test',
      scopes: scopes.length > 0 ? scopes : ['events:write', 'events:read', 'log:read'],
      tenants,
    });
    return key;
  }

  async call(method: string, path: string, request: Request = {}): Promise<Answer> {
    const { key = this.admin, body, headers } = request;
    const isPlain = typeof body === 'object' && !(body instanceof Uint8Array);
    const response = await fetch(this.url + path, {
      method,
      ...(body !== undefined && { body: isPlain ? JSON.stringify(body) : (body as string) }),
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    const answer = {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
    this.#check(method, path.split('?', 1)[0]!, answer);
    return answer;
  }

  get(path: string, key?: string): Promise<Answer> {
    return this.call('GET', path, { key });
  }

  /** Submits events and expects that they are chained. */
  async ingest(events: readonly object[], key?: string): Promise<Answer> {
    const answer = await this.call('POST', '/v1/audit/events/batch', { key, body: { events } });
    expect(answer.status).toBe(201);
    return answer;
  }

  /** Runs SQL as the owner of the embedded database, with triggers disabled: what an attacker with full access can do. */
  async tamper(...statements: readonly string[]): Promise<void> {
    const { database } = this.service;
    if (!(database instanceof PgliteDatabase))
      throw new Error('only the embedded store can be tampered with');
    await database.asOwner(async (session) => {
      await session.query("set local session_replication_role = 'replica'");
      for (const sql of statements) await session.query(sql);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.#gateway?.close();
    await this.service.close();
    this.#directory.remove();
  }
}

async function embeddedStore(directory: string): Promise<{ directory: string }> {
  await prepareEmbeddedStore(directory);
  return { directory };
}

export function event(fields: object = {}): Record<string, unknown> {
  return {
    audit_id: uuidv7(),
    tenant_id: 'acme',
    timestamp: new Date().toISOString(),
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'ann',
    source_service: 'test',
    ...fields,
  };
}

/** Compares a response with the document. A status, media type or body that the document does not have fails the test. */
// biome-ignore lint/suspicious/noExplicitAny: the document is walked, not typed
function checker(document: any): (method: string, path: string, answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (formats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema({ $id: 'api', components: document.components });
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  const operations = Object.entries(document.paths).map(([path, methods]) => ({
    // The last parameter of a tile's path may contain slashes.
    pattern: new RegExp(`^${path.replace('{tile}', '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    methods: methods as Record<string, { responses: Record<string, unknown> }>,
    literal: !path.includes('{'),
  }));
  operations.sort((a, b) => Number(b.literal) - Number(a.literal));
  return (method, path, answer) => {
    if (answer.status >= 400 && answer.json !== undefined && path !== '/ready') {
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.json.type).toBe(
        `urn:tallystick:problem:${answer.json.code.toLowerCase().replaceAll('_', '-')}`,
      );
    }
    const operation = operations.find(({ pattern }) => pattern.test(path))?.methods[method.toLowerCase()];
    if (operation === undefined) return;
    const response = operation.responses[answer.status] as { content?: Record<string, { schema: object }> };
    expect(
      response,
      `${method} ${path} answers ${answer.status}, undocumented: ${answer.text}`,
    ).toBeDefined();
    if (response.content === undefined) return;
    const type = answer.headers.get('content-type')!.split(';', 1)[0]!;
    const media = response.content[type];
    expect(media, `${method} ${path} answers ${type}, undocumented`).toBeDefined();
    if (answer.json === undefined) return;
    const text = JSON.stringify(media!.schema).replaceAll('"#/components', '"api#/components');
    let validate = compiled.get(text);
    if (validate === undefined) {
      validate = ajv.compile(JSON.parse(text));
      compiled.set(text, validate);
    }
    expect(
      validate(answer.json),
      `${method} ${path}: ${JSON.stringify(validate.errors)} in ${answer.text}`,
    ).toBe(true);
  };
}
