import { parseTilePath, rotationToJson, toBase64 } from '@tallystick/log';
import type { ConsistencyProof, InclusionProof, LogKeys } from '@tallystick/protocol';
import * as z from 'zod';
import type { AuditService } from '../../../app.ts';
import { ServerError } from '../../../errors.ts';
import type { Trail } from '../../../trail/trail.ts';
import { tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { flag, integer, tenantIdInPath } from '../../kernel/requests/parameters.ts';
import { consistencyProof, inclusionProof, logKeys } from '../../openapi/schemas/log-schemas.ts';

const tag = 'Log';
const params = z.strictObject({ tenant_id: tenantIdInPath });

interface Parts {
  readonly logs: AuditService['logs'];
  readonly signer: AuditService['signer'];
  readonly trail: Trail;
}

/**
 * Routes of a tenant's transparency log. For clients of C2SP tlog-tiles, the log's URL prefix is `/v1/logs/{tenant_id}`.
 */
export function logRoutes(parts: Parts): Endpoint[] {
  return [...checkpointRoutes(parts), ...proofRoutes(parts), tileRoute(parts)];
}

function checkpointRoutes({ logs, signer, trail }: Parts): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/logs/{tenant_id}/checkpoint',
      operationId: 'getCheckpoint',
      tag,
      summary: 'Get a signed checkpoint',
      description:
        'The last signed checkpoint, in the format of C2SP tlog-checkpoint. If there is none yet, the service signs the first one. A viewer token ' +
        'gets no fresh one: each is stored.',
      access: 'log:read',
      viewers: true,
      params,
      query: z.strictObject({
        fresh: flag('Sign a new checkpoint that covers the whole log').optional(),
      }),
      responses: { 200: { description: 'A signed note', type: 'text/plain' } },
      problems: ['FORBIDDEN', 'NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'],
      async handle({ principal, params, query }) {
        const tenantId = tenantOf(principal, params.tenant_id);
        if (query.fresh === true && principal.viewer !== undefined)
          throw new ServerError('FORBIDDEN', 'a viewer token only reads: ask without fresh=true');
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
        'Newest first. A key from this answer is only as trustworthy as the connection: compare it with a copy that you got ' +
        'another way, then keep it. `rotations` proves to everybody who trusts one of the keys which keys came after it: the old ' +
        "and the new key signed each, and it names the last checkpoint of the tenant's log before it.",
      access: 'log:read',
      viewers: true,
      params,
      responses: { 200: { description: 'The keys', schema: logKeys } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params }) {
        const origin = await originOf({ logs, trail }, tenantOf(principal, params.tenant_id));
        const keys = signer.verifierKeys(origin).map(({ key, createdAt, retiredAt }) => ({
          key,
          created_at: createdAt,
          ...(retiredAt !== undefined && { retired_at: retiredAt }),
        }));
        const rotations = (await signer.rotations.evidenceFor(origin)).map(rotationToJson);
        const body: LogKeys = { origin, keys, rotations };
        return { status: 200, body };
      },
    }),
  ];
}

function proofRoutes({ logs, trail }: Pick<Parts, 'logs' | 'trail'>): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/logs/{tenant_id}/proof/inclusion',
      operationId: 'getInclusionProof',
      tag,
      summary: 'Prove that a tree contains a record',
      description:
        "RFC 9162 section 2.1.3. The record's sequence number is the index of its leaf, and `size` selects the tree.",
      access: 'log:read',
      viewers: true,
      params,
      query: z.strictObject({
        index: integer('Sequence number of the record'),
        size: integer('Size of the tree, as in a checkpoint', { minimum: 1 }),
      }),
      responses: { 200: { description: 'The proof', schema: inclusionProof } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params, query: { index, size } }) {
        const tenantId = tenantOf(principal, params.tenant_id);
        // The proof of a record has hashes of its neighbours: a viewer token gets it only for a record that it shows.
        if (principal.viewer !== undefined) await trail.getBySequence(tenantId, index, viewOf(principal));
        const hashes = await logs.inclusionProof(tenantId, index, size);
        const origin = await originOf({ logs, trail }, tenantId);
        const body: InclusionProof = { origin, index, size, hashes: hashes.map(toBase64) };
        return { status: 200, body };
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
      viewers: true,
      params,
      query: z.strictObject({
        from: integer('Size of the older tree', { minimum: 1 }),
        to: integer('Size of the newer tree', { minimum: 1 }),
      }),
      responses: { 200: { description: 'The proof', schema: consistencyProof } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params, query: { from, to } }) {
        const tenantId = tenantOf(principal, params.tenant_id);
        const hashes = await logs.consistencyProof(tenantId, from, to);
        const origin = await originOf({ logs, trail }, tenantId);
        const body: ConsistencyProof = { origin, from, to, hashes: hashes.map(toBase64) };
        return { status: 200, body };
      },
    }),
  ];
}

function tileRoute({ logs }: Pick<Parts, 'logs'>): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/v1/logs/{tenant_id}/tile/{tile}',
    wildcard: true,
    operationId: 'getTile',
    tag,
    summary: "Get a tile of the log's tree",
    description:
      'C2SP tlog-tiles: the path is `<level>/<index>`, followed by `.p/<width>` for a partial tile. The answer is a sequence of ' +
      'hashes of 32 bytes each.',
    access: 'log:read',
    params: z.strictObject({
      tenant_id: tenantIdInPath,
      tile: z.string().max(64).describe('For example `0/x001/234`'),
    }),
    responses: { 200: { description: 'The hashes', type: 'application/octet-stream' } },
    problems: ['NOT_FOUND'],
    async handle({ principal, params }) {
      const tenantId = tenantOf(principal, params.tenant_id);
      const { width, ...tile } = parseTilePath(params.tile);
      const hashes = await logs.tile(tenantId, tile, width);
      return { status: 200, type: 'application/octet-stream', body: Buffer.from(hashes) };
    },
  });
}

async function originOf({ logs, trail }: Pick<Parts, 'logs' | 'trail'>, tenantId: string): Promise<string> {
  const head = await trail.head(tenantId);
  if (head === undefined) throw new ServerError('NOT_FOUND', 'there is no such log');
  return logs.origin({ tenantId, epoch: head.epoch });
}
