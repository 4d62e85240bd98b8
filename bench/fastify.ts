import { createAuditEmitter, type Transport } from '@tallystick/sdk';
import { fastifyAudit } from '@tallystick/sdk/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { median, type Result } from './result.ts';

/** What the plugin adds to a request of an application, compared with the same application without it. They take turns. */
export async function run(): Promise<Result[]> {
  const sink: Transport = {
    send: async ({ events }) => events.map(() => ({ status: 'accepted', audit_id: '' })),
    close: async () => {},
  };
  const audit = createAuditEmitter({ service: 'bench', transport: sink, bufferSize: 100_000 });
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
  const rounds = { bare: [] as number[], audited: [] as number[] };
  for (let round = -5; round < 41; round++) {
    // In turns, also within a round, so that neither always runs after the other.
    const order = round % 2 === 0 ? (['bare', 'audited'] as const) : (['audited', 'bare'] as const);
    for (const name of order) {
      const took = await microsecondsPerRequest(name === 'bare' ? bare : audited);
      if (round >= 0) rounds[name].push(took);
      await audit.flush();
    }
  }
  await audit.close();
  await Promise.all([bare.close(), audited.close()]);
  const added = Math.round(median(rounds.audited.map((took, at) => took - rounds.bare[at]!)) * 100) / 100;
  const baseline = Math.round(median(rounds.bare) * 100) / 100;
  return [
    {
      ...{ name: 'Fastify plugin, added to a request', value: added, unit: 'µs', baseline },
      ...{ ratio: null, goal: '<= 10', pass: added <= 10 },
    },
  ];
}

async function microsecondsPerRequest(app: FastifyInstance): Promise<number> {
  const requests = 500;
  const request = { method: 'POST', url: '/orders/o-17/refund', headers: { 'x-user': 'maria' } } as const;
  const start = performance.now();
  for (let sent = 0; sent < requests; sent++) await app.inject(request);
  return ((performance.now() - start) * 1_000) / requests;
}
