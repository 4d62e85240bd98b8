import { tenantIdPattern } from '@tallystick/event';
import { parseTilePath, toBase64 } from '@tallystick/log';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';
import { tenantOf } from '../kernel/authenticate.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { flag, integer } from '../kernel/parameters.ts';
import type { Services } from '../kernel/services.ts';
import { consistencyProof, inclusionProof, logKeys } from '../openapi/schemas.ts';

const tenant = z
  .string()
  .regex(tenantIdPattern, { message: 'must be a tenant id' })
  .describe('The tenant whose log it is');
const params = z.strictObject({ tenant_id: tenant });
const tag = 'Log';

/** A tenant's transparency log. Its prefix, for clients of C2SP tlog-tiles, is `/v1/logs/{tenant_id}`. */
export const logEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/logs/{tenant_id}/checkpoint',
    operationId: 'getCheckpoint',
    tag,
    summary: 'Get a signed checkpoint',
    description:
      'C2SP tlog-checkpoint: the last one that was signed, or the first one where there is none yet.',
    access: 'log:read',
    params,
    query: z.strictObject({ fresh: flag('Sign the log as it stands').optional() }),
    responses: { 200: { description: 'A signed note', type: 'text/plain' } },
    problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'],
    async handle({ services, principal, params, query }) {
      const { logs } = services.service;
      const tenantId = tenantOf(principal, params.tenant_id);
      const latest = query.fresh === true ? undefined : await logs.latestCheckpoint(tenantId);
      const { note } = latest ?? (await logs.checkpoint(tenantId));
      return { status: 200, type: 'text/plain; charset=utf-8', body: note };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/logs/{tenant_id}/keys',
    operationId: 'getLogKeys',
    tag,
    summary: "Get the log's verifier keys",
    description:
      'Newest first. A key read here is as good as the connection it came through: compare it, then keep it.',
    access: 'log:read',
    params,
    responses: { 200: { description: 'The keys', schema: logKeys } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params }) {
      const origin = await originOf(services, tenantOf(principal, params.tenant_id));
      const keys = services.service.signer.verifierKeys(origin).map(({ key, createdAt, retiredAt }) => ({
        key,
        created_at: createdAt,
        ...(retiredAt !== undefined && { retired_at: retiredAt }),
      }));
      return { status: 200, body: { origin, keys } };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/logs/{tenant_id}/proof/inclusion',
    operationId: 'getInclusionProof',
    tag,
    summary: 'Prove that a record is in the tree of a size',
    description: 'RFC 9162 section 2.1.3. The leaf is that of the record with this sequence number.',
    access: 'log:read',
    params,
    query: z.strictObject({
      index: integer('Sequence number of the record'),
      size: integer('Size of the tree: that of a checkpoint', { minimum: 1 }),
    }),
    responses: { 200: { description: 'The proof', schema: inclusionProof } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params, query: { index, size } }) {
      const tenantId = tenantOf(principal, params.tenant_id);
      const hashes = await services.service.logs.inclusionProof(tenantId, index, size);
      const origin = await originOf(services, tenantId);
      return { status: 200, body: { origin, index, size, hashes: hashes.map(toBase64) } };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/logs/{tenant_id}/proof/consistency',
    operationId: 'getConsistencyProof',
    tag,
    summary: 'Prove that one tree extends another',
    description: 'RFC 9162 section 2.1.4.',
    access: 'log:read',
    params,
    query: z.strictObject({
      from: integer('Size of the older tree', { minimum: 1 }),
      to: integer('Size of the newer tree', { minimum: 1 }),
    }),
    responses: { 200: { description: 'The proof', schema: consistencyProof } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params, query: { from, to } }) {
      const tenantId = tenantOf(principal, params.tenant_id);
      const hashes = await services.service.logs.consistencyProof(tenantId, from, to);
      const origin = await originOf(services, tenantId);
      return { status: 200, body: { origin, from, to, hashes: hashes.map(toBase64) } };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/logs/{tenant_id}/tile/{tile}',
    wildcard: true,
    operationId: 'getTile',
    tag,
    summary: "Get a tile of the log's tree",
    description:
      'C2SP tlog-tiles: `<level>/<index>`, and `.p/<width>` for a partial one. Hashes, 32 bytes each.',
    access: 'log:read',
    params: z.strictObject({
      tenant_id: tenant,
      tile: z.string().max(64).describe('For example `0/x001/234`'),
    }),
    responses: { 200: { description: 'The hashes', type: 'application/octet-stream' } },
    problems: ['NOT_FOUND'],
    async handle({ services, principal, params }) {
      const tenantId = tenantOf(principal, params.tenant_id);
      const { width, ...tile } = parseTilePath(params.tile);
      const hashes = await services.service.logs.tile(tenantId, tile, width);
      return { status: 200, type: 'application/octet-stream', body: Buffer.from(hashes) };
    },
  }),
];

async function originOf({ service, trail }: Services, tenantId: string): Promise<string> {
  const head = await trail.head(tenantId);
  if (head === undefined) throw new ServerError('NOT_FOUND', 'no such log');
  return service.logs.origin({ tenantId, epoch: head.epoch });
}
