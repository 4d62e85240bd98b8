import type { ApiKeyList, CreatedApiKey } from '@tallystick/protocol';
import * as z from 'zod';
import type { ApiKeys } from '../../../access/api-keys.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { apiKeyList, createdApiKey, newApiKey } from '../../openapi/schemas/operation-schemas.ts';

const tag = 'API keys';

/** Routes that manage API keys. */
export function apiKeyRoutes({ keys }: { readonly keys: ApiKeys }): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/api-keys',
      operationId: 'listApiKeys',
      tag,
      summary: 'List API keys without their secrets',
      access: 'operator',
      responses: { 200: { description: 'Every key, including revoked ones', schema: apiKeyList } },
      async handle() {
        const body: ApiKeyList = { api_keys: await keys.list() };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/api-keys',
      operationId: 'createApiKey',
      tag,
      summary: 'Create an API key',
      description:
        'Only this answer contains the key. The service stores its hash and can never show the key again.',
      access: 'operator',
      body: { schema: newApiKey },
      responses: { 201: { description: 'The key', schema: createdApiKey } },
      problems: ['PARAMETER_INVALID', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
      async handle({ principal, body: { expires_at, ...key } }) {
        const expiresAt = expires_at === undefined ? undefined : new Date(expires_at);
        const body: CreatedApiKey = await keys.create({ ...key, expiresAt }, principal.id);
        return { status: 201, body };
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/v1/api-keys/{id}',
      operationId: 'revokeApiKey',
      tag,
      summary: 'Revoke an API key',
      description:
        'The process that answers stops accepting the key at once, other replicas of the service within five seconds. ' +
        'Streams of the key end within a second, on every replica.',
      access: 'operator',
      params: z.strictObject({
        id: z
          .string()
          .regex(/^[0-9a-f]{12}$/, { message: 'must be the id of an API key' })
          .describe('Id of the API key'),
      }),
      responses: { 204: { description: 'The key is revoked' } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params }) {
        await keys.revoke(params.id, principal.id);
        return { status: 204 };
      },
    }),
  ];
}
