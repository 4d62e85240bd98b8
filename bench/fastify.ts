import { EventEmitter } from 'node:events';
import { type AuditEmitter, createAuditEmitter, type Transport } from '@tallystick/sdk';
import { type ExpressRequest, type ExpressResponse, expressAudit } from '@tallystick/sdk/express';
import { fastifyAudit } from '@tallystick/sdk/fastify';
import { withAudit } from '@tallystick/sdk/web';
import Fastify from 'fastify';
import { ProcessorClock } from './processor-clock.ts';
import { median, type Result } from './result.ts';

/** Handles one request. */
type Handler = () => unknown;

/** An application without audit events, and the same one with them. */
interface Pair {
  readonly name: string;
  readonly bare: Handler;
  readonly audited: Handler;
}

const requests = 500;
const rounds = 40;
const target = { type: 'order', id: 'o-17' };
const actor = { actorType: 'user', actorId: 'maria' } as const;

/**
 * What the integrations add to a request, compared with the same application without them. The two take turns. A batch is delivered
 * after the requests of a round, so that the work of the request and the work of the delivery are measured apart.
 */
export async function run(): Promise<Result[]> {
  const sink: Transport = {
    send: async ({ events }) => events.map(() => ({ status: 'accepted', audit_id: '' })),
    close: async () => {},
  };
  const audit = createAuditEmitter({ service: 'bench', transport: sink, bufferSize: 100_000 });
  const fastify = await fastifyPair(audit);
  const results: Result[] = [];
  for (const pair of [fastify, expressPair(audit), webPair(audit)]) {
    results.push(...(await compare(pair, audit)));
  }
  await audit.close();
  await fastify.close();
  return results;
}

async function fastifyPair(audit: AuditEmitter): Promise<Pair & { close(): Promise<void> }> {
  const bare = Fastify();
  const audited = Fastify();
  await audited.register(fastifyAudit, {
    audit,
    tenant: 'acme',
    actor: (request) => ({ actorType: 'user', actorId: String(request.headers['x-user']) }),
  });
  for (const app of [bare, audited]) {
    app.post(
      '/orders/:id/refund',
      {
        config: {
          audit: {
            eventType: 'order.refunded',
            target: (request) => ({ type: 'order', id: (request.params as { id: string }).id }),
          },
        },
      },
      async () => ({ refunded: true }),
    );
    await app.ready();
  }
  const request = { method: 'POST', url: '/orders/o-17/refund', headers: { 'x-user': 'maria' } } as const;
  return {
    name: 'Fastify plugin',
    bare: () => bare.inject(request),
    audited: () => audited.inject(request),
    close: async () => void (await Promise.all([bare.close(), audited.close()])),
  };
}

/** Only the middleware: Express is not a dependency of this workspace. The response is an emitter, as that of Node.js is. */
function expressPair(audit: AuditEmitter): Pair {
  const request: ExpressRequest = {
    ...{ method: 'POST', baseUrl: '', ip: '192.0.2.1', route: { path: '/orders/:id/refund' } },
    headers: { 'user-agent': 'bench' },
  };
  const middleware = expressAudit({ audit, tenant: 'acme', actor: () => actor })({
    eventType: 'order.refunded',
    target: () => target,
  });
  const respond = () => Object.assign(new EventEmitter(), { statusCode: 200, writableFinished: true });
  const end = (response: EventEmitter) => response.emit('close');
  return {
    name: 'Express middleware',
    bare: () => end(respond()),
    audited: () => {
      const response = respond();
      middleware(request, response satisfies ExpressResponse, () => {});
      end(response);
    },
  };
}

function webPair(audit: AuditEmitter): Pair {
  const request = new Request('http://localhost/orders/o-17/refund', { method: 'POST' });
  const bare = async (_request: Request) => new Response('{"refunded":true}');
  const audited = withAudit(bare, {
    ...{ audit, tenant: 'acme', actor: () => actor },
    event: { eventType: 'order.refunded', target: () => target },
  });
  return { name: 'withAudit', bare: () => bare(request), audited: () => audited(request) };
}

interface Round {
  /** Microseconds of each request until its response, and its event, if any, is queued. */
  readonly request: number;
  /** The same as a client sees it: other processes slow it. */
  readonly seen: number;
  /** Microseconds that each request's event took afterwards: redaction, JSON, the batch. */
  readonly delivery: number;
}

async function compare({ name, bare, audited }: Pair, audit: AuditEmitter): Promise<Result[]> {
  const without: Round[] = [];
  const withAudit: Round[] = [];
  for (let round = -20; round < rounds; round++) {
    // In turns, also within a round, so that neither always runs after the other.
    const order =
      round % 2 === 0
        ? ([bare, without, audited, withAudit] as const)
        : ([audited, withAudit, bare, without] as const);
    const results = [await measure(order[0], audit), await measure(order[2], audit)] as const;
    if (round < 0) continue;
    order[1].push(results[0]);
    order[3].push(results[1]);
  }
  const added = (part: keyof Round) => median(withAudit.map((took, at) => took[part] - without[at]![part]));
  const request = round2(added('request'));
  const baseline = round2(median(without.map((took) => took.request)));
  const seen = { baseline: round2(median(without.map((took) => took.seen))), added: round2(added('seen')) };
  const none = { ratio: null, goal: null, pass: null };
  return [
    {
      ...{ name: `${name}, processor time added to a request`, value: request, unit: 'µs', baseline },
      ...{ ratio: null, goal: '<= 10', pass: request <= 10 },
    },
    {
      ...{ name: `${name}, latency added to a request`, value: seen.added, unit: 'µs', ...none },
      baseline: seen.baseline,
    },
    {
      ...{ name: `${name}, delivery of the event afterwards`, value: round2(added('delivery')), unit: 'µs' },
      ...{ baseline: null, ...none },
    },
  ];
}

const clock = new ProcessorClock();

async function measure(handle: Handler, audit: AuditEmitter): Promise<Round> {
  const seenFrom = performance.now();
  const from = clock.now();
  for (let sent = 0; sent < requests; sent++) await handle();
  const to = clock.now();
  const seenTo = performance.now();
  await audit.flush();
  const perRequest = (ms: number) => (ms * 1_000) / requests;
  return {
    request: perRequest(to - from),
    seen: perRequest(seenTo - seenFrom),
    delivery: perRequest(clock.now() - to),
  };
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
