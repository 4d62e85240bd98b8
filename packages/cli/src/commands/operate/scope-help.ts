import { type Scope, scopeMeanings, scopes } from '@tallystick/protocol';

/** The routes that a scope opens, by method and path; `…` stands for the rest of a path. docs/scopes.md lists each one. */
export const scopeRoutes: { readonly [scope in Scope]: readonly string[] } = {
  'events:write': ['POST /v1/audit/events…'],
  'events:read': [
    'GET /v1/audit/events…',
    'GET /v1/audit/stats',
    'GET /v1/audit/timeline',
    'GET /v1/audit/producers',
    'GET /v1/audit/open-intents',
    'GET /v1/dead-letters…',
    'GET /v1/tenants',
    'GET /v1/logs/{tenant_id}/bundle',
  ],
  'events:read-sensitive': [],
  'log:read': ['GET /v1/logs/{tenant_id}/…', 'GET /v1/audit/verify', 'GET /v1/audit/verifications'],
  'viewer-tokens:issue': ['POST /v1/viewer-tokens', 'GET /v1/viewer-tokens', 'DELETE /v1/viewer-tokens/{id}'],
  'approvals:request': [
    'POST /v1/approvals…',
    'GET /v1/approvals/{approval_id}/stream',
    'POST /v1/operations…',
  ],
  'approvals:decide': ['POST /v1/approvals/{approval_id}/decision'],
  admin: ['POST /v1/dead-letters/…', 'DELETE /v1/dead-letters/…', 'POST /v1/audit/producers/settle'],
};

/** The routes that the scope `admin` opens to a key for all tenants. */
export const operatorRoutes: readonly string[] = [
  '/v1/api-keys…',
  '/v1/approval-rules',
  '/v1/blocked-subjects',
  '/v1/followers…',
  '/v1/webhook-deliveries…',
];

/** What each scope allows, and its routes, for the help of `tally api-keys create`. */
export function scopeHelp(): string {
  const indent = ' '.repeat(24);
  const lines = scopes.flatMap((scope) => [
    `  ${scope.padEnd(22)}${scopeMeanings[scope]}`,
    ...scopeRoutes[scope].map((route) => indent + route),
  ]);
  const ofOperators = operatorRoutes.map((route) => `${indent}${route} (with --all-tenants)`);
  return [...lines, ...ofOperators].join('\n');
}
