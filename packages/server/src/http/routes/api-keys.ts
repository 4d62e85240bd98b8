import * as z from 'zod';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import { apiKeyList, createdApiKey, newApiKey } from '../openapi/schemas.ts';

const tag = 'API keys';

export const apiKeyEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/api-keys',
    operationId: 'listApiKeys',
    tag,
    summary: 'List API keys, without their secrets',
    access: 'operator',
    responses: { 200: { description: 'Every key, revoked ones included', schema: apiKeyList } },
    async handle({ services }) {
      return { status: 200, body: { api_keys: await services.service.keys.list() } };
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/api-keys',
    operationId: 'createApiKey',
    tag,
    summary: 'Make an API key',
    description: 'The key is in this answer and can never be had again.',
    access: 'operator',
    body: { schema: newApiKey },
    responses: { 201: { description: 'The key', schema: createdApiKey } },
    problems: ['PARAMETER_INVALID'],
    async handle({ services, body }) {
      const { expires_at, ...key } = body;
      const created = await services.service.keys.create({
        ...key,
        expiresAt: expires_at === undefined ? undefined : new Date(expires_at),
      });
      return { status: 201, body: created };
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/api-keys/{id}',
    operationId: 'revokeApiKey',
    tag,
    summary: 'Revoke an API key',
    description: 'It stops working at once here, and within five seconds on other replicas.',
    access: 'operator',
    params: z.strictObject({
      id: z
        .string()
        .regex(/^[0-9a-f]{12}$/, { message: 'must be the id of a key' })
        .describe('Id of the key'),
    }),
    responses: { 204: { description: 'Revoked' } },
    problems: ['NOT_FOUND'],
    async handle({ services, params }) {
      await services.service.keys.revoke(params.id);
      return { status: 204 };
    },
  }),
];
