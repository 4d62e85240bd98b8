/** A Worker that emits events, for the tests beside it. */
import { createFetchEmitter, type FetchEmitterOptions } from '@tallystick/sdk/fetch';
import { withAudit } from '@tallystick/sdk/web';

interface Env {
  readonly AUDIT_URL: string;
}
interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

const event = {
  tenantId: 'acme',
  eventType: 'order.refunded',
  actorType: 'user',
  actorId: 'maria',
  outcome: 'success',
} as const;

const emitterOf = (env: Env, more: Partial<FetchEmitterOptions> = {}) =>
  createFetchEmitter({
    service: 'edge',
    url: env.AUDIT_URL,
    apiKey: 'k',
    retryDelaysMs: [1, 1],
    onError: () => undefined,
    ...more,
  });

/** Values whose JSON needs the SDK's own writer. */
const values = {
  date: new Date(0),
  map: new Map([['a', 1n]]),
  set: new Set([1, 2]),
  error: new TypeError('t'),
  bytes: new Uint8Array([1, 2, 255]),
  headers: new Headers({ accept: 'x' }),
  pattern: /a+/,
  password: 'hunter2',
};

const audited = withAudit(async (_request: Request, _env: Env, _context: Context) => new Response('done'), {
  audit: () => emitterOf({ AUDIT_URL: url }),
  tenant: 'acme',
  event: { eventType: 'page.read' },
  waitUntil: (delivery, _request, _env, context) => context.waitUntil(delivery),
});
let url = '';

export default {
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    url = env.AUDIT_URL;
    const emitter = emitterOf(env, { redaction: { censor: { hmacKey: 'k' } } });
    switch (new URL(request.url).pathname) {
      case '/emit': {
        for (let order = 1; order <= 3; order++) emitter.emit({ ...event, targetId: String(order) });
        emitter.emit({ ...event, context: values });
        context.waitUntil(emitter.flush());
        return new Response('sent later');
      }
      case '/record': {
        const { state, receipt } = await emitter.record(event);
        return Response.json({ state, sequence: receipt?.sequence_number });
      }
      case '/audited':
        return audited(request, env, context);
      default:
        return Response.json({ node: typeof (globalThis as { process?: unknown }).process });
    }
  },
};
