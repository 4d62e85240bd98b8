import type { FollowerReadiness, Health, Readiness } from '@tallystick/protocol';
import type { FastifyRequest } from 'fastify';
import type { Credentials } from '../../../access/credentials.ts';
import { hasScope } from '../../../access/principal.ts';
import type { Followers } from '../../../followers/followers.ts';
import type { Database } from '../../../store/database.ts';
import { principalOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { version } from '../../kernel/version.ts';
import { health, readiness } from '../../openapi/schemas/operation-schemas.ts';
import { canWrite } from './readiness.ts';

const tag = 'Operation';

/** Routes for liveness and readiness probes. */
export function healthRoutes({
  database,
  credentials,
  stopped,
  readinessChecks,
  followers,
  maxFollowerLagMs = Number.POSITIVE_INFINITY,
}: {
  readonly database: Database;
  readonly credentials: Credentials;
  /** Tenants whose chains are stopped, with the reasons. */
  readonly stopped: ReadonlyMap<string, string>;
  /** Each returns the reasons why one part of the service can't work. */
  readonly readinessChecks: Iterable<() => readonly string[]>;
  /** The followers of this process; undefined if none runs here. */
  readonly followers: Pick<Followers, 'health'> | undefined;
  /** A follower that is further behind is a reason to call the service degraded, ms. */
  readonly maxFollowerLagMs?: number | undefined;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/health',
      operationId: 'getHealth',
      description: 'It reads nothing from the store: a process that answers is alive.',
      tag,
      summary: 'Check that the process is alive',
      access: 'open',
      unlimited: true,
      responses: { 200: { description: 'The process is alive', schema: health } },
      async handle() {
        const body: Health = { status: 'ok', version };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/ready',
      operationId: 'getReadiness',
      tag,
      summary: 'Check that the service can chain events',
      description:
        'The check writes to the store and rolls back. If the chain of one tenant is stopped, the service is `degraded` and ' +
        'still ready, so that the other tenants keep their service. The same is true of a follower that is further behind than the ' +
        'bound of the service, if it has one.',
      access: 'open',
      unlimited: true,
      responses: {
        200: { description: 'The service can chain events', schema: readiness },
        503: { description: 'The service can not chain events', schema: readiness },
      },
      async handle({ request }) {
        const reasons = [...readinessChecks].flatMap((check) => check());
        if (!(await canWrite(database))) reasons.push('the store does not accept writes');
        const ready = reasons.length === 0;
        if (stopped.size > 0) reasons.push(`${stopped.size} chains are stopped`);
        const read = followers?.health().map(describeFollower);
        const behind = (read ?? []).filter(({ lag_seconds }) => lag_seconds * 1_000 > maxFollowerLagMs);
        for (const { name, lag_seconds } of behind)
          reasons.push(`the follower ${name} is ${Math.round(lag_seconds)} s behind the chains`);
        const isDegraded = stopped.size > 0 || behind.length > 0;
        const named = stopped.size > 0 && (await isOperator(credentials, request));
        const body: Readiness = {
          status: !ready ? 'unavailable' : isDegraded ? 'degraded' : 'ready',
          reasons,
          stopped_chains: stopped.size,
          ...(read !== undefined && { followers: read }),
          ...(named && { stopped: Object.fromEntries(stopped) }),
        };
        return { status: ready ? 200 : 503, body };
      },
    }),
  ];
}

function describeFollower({
  name,
  paused,
  rebuilding,
  records,
  seconds,
  stopped,
}: ReturnType<Followers['health']>[number]): FollowerReadiness {
  return {
    name,
    state: paused ? 'paused' : rebuilding ? 'rebuilding' : 'running',
    lag_records: records,
    lag_seconds: seconds,
    stopped_tenants: stopped,
  };
}

/** Only an operator may see the names of tenants. A probe without a key is no error. */
async function isOperator(credentials: Credentials, request: FastifyRequest): Promise<boolean> {
  try {
    const principal = await principalOf(credentials, request);
    return hasScope(principal, 'admin') && principal.tenants === undefined;
  } catch {
    return false;
  }
}
