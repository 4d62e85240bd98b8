import { type Endpoint, endpoint } from '../kernel/endpoint.ts';

const tag = 'Documentation';

export const documentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    tag,
    summary: 'Get this document',
    access: 'open',
    responses: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
    async handle({ services }) {
      return { status: 200, type: 'application/json; charset=utf-8', body: services.documents.openapi };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/docs',
    operationId: 'getDocs',
    tag,
    summary: 'Read this document',
    access: 'open',
    responses: { 200: { description: 'A page', type: 'text/html' } },
    async handle({ services }) {
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        headers: {
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
          'x-content-type-options': 'nosniff',
        },
        body: services.documents.page,
      };
    },
  }),
];
