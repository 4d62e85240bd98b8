import type { FastifyRequest } from 'fastify';
import { hasScope } from '../../access/principal.ts';
import { principalOf } from '../kernel/authenticate.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { canWrite } from '../kernel/readiness.ts';
import type { Services } from '../kernel/services.ts';
import { version } from '../kernel/version.ts';
import { health, readiness } from '../openapi/schemas.ts';

export const healthEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/health',
    operationId: 'getHealth',
    tag: 'Operation',
    summary: 'Say that the process answers',
    access: 'open',
    responses: { 200: { description: 'Alive', schema: health } },
    async handle() {
      return { status: 200, body: { status: 'ok', version } };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/ready',
    operationId: 'getReadiness',
    tag: 'Operation',
    summary: 'Say whether events can be chained',
    description:
      'Writes to the store, and rolls back. A stopped chain makes the service `degraded`, not unready: other tenants ' +
      'must not lose their service over it.',
    access: 'open',
    responses: {
      200: { description: 'Events can be chained', schema: readiness },
      503: { description: 'They can not', schema: readiness },
    },
    async handle({ services, request }) {
      const { service } = services;
      const { stopped } = service.logs;
      const reasons = [...service.readinessChecks].flatMap((check) => check());
      if (!(await canWrite(service.database))) reasons.push('the store does not take writes');
      const writable = reasons.length === 0;
      if (stopped.size > 0) reasons.push(`${stopped.size} chains are stopped`);
      const status = !writable ? 'unavailable' : stopped.size > 0 ? 'degraded' : 'ready';
      const named = stopped.size > 0 && (await isOperator(services, request));
      return {
        status: writable ? 200 : 503,
        body: {
          status,
          reasons,
          stopped_chains: stopped.size,
          ...(named && { stopped: Object.fromEntries(stopped) }),
        },
      };
    },
  }),
];

/** Who the tenants are is nobody else's business. */
async function isOperator({ service }: Services, request: FastifyRequest): Promise<boolean> {
  try {
    const principal = await principalOf(service, request);
    return hasScope(principal, 'admin') && principal.tenants === undefined;
  } catch {
    return false;
  }
}
