import type { EventFilters } from '@tallystick/event';
import type {
  CreatedViewerToken,
  ViewerFilters,
  ViewerTokenPage,
  ViewerTokenState,
} from '@tallystick/protocol';
import * as z from 'zod';
import {
  maxLiveTokens,
  type ViewerTokens,
  viewerLifetimeMs,
} from '../../../access/viewer-tokens/viewer-tokens.ts';
import { decodeCursor, encodeCursor } from '../../../trail/cursor.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { HttpProblem } from '../../kernel/problems.ts';
import { cursor, isTimestamp, limit } from '../../kernel/requests/parameters.ts';
import { validate } from '../../kernel/requests/validate.ts';
import {
  createdViewerToken,
  newViewerToken,
  viewerTokenPage,
  viewerTokenState,
} from '../../openapi/schemas/viewer-token-schemas.ts';
import { filtersOf, streamFilters, withMemberFilters } from '../finding/event-filters.ts';

const tag = 'Viewer tokens';

const filterParameters = withMemberFilters(streamFilters);

/** The last token on the page before. */
const place = z.tuple([z.string().refine(isTimestamp), z.string().regex(/^[0-9a-f]{16}$/)]);

/** Routes that make, list and revoke viewer tokens. */
export function viewerTokenRoutes({ viewerTokens }: { readonly viewerTokens: ViewerTokens }): Endpoint[] {
  return [
    endpoint({
      method: 'POST',
      path: '/v1/viewer-tokens',
      operationId: 'createViewerToken',
      tag,
      summary: 'Make a token with which a browser reads a part of one tenant’s trail',
      description:
        'Call it in your backend with an API key, and give the token to the page of one user. The token reads events, their counts, ' +
        'timelines, streams and exports, receipts and proofs of single events, checkpoints and keys of the log; every other route refuses it. ' +
        'Its filters bind each of these routes, together with those of a request. It never shows sensitive events, `audit.*` and ' +
        '`delivery.*`. It ends with the API key. The making is recorded as `audit.viewer_token_issued` in the chain of the service. ' +
        `A key has at most ${maxLiveTokens} tokens that have not expired.`,
      access: 'viewer-tokens:issue',
      body: { schema: newViewerToken },
      responses: { 201: { description: 'The token', schema: createdViewerToken } },
      problems: ['PARAMETER_INVALID', 'RATE_LIMITED', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
      async handle({ principal, body }) {
        const tenantId = tenantOf(principal, body.tenant_id);
        const filters = readFilters(body.filters ?? {});
        const made = await viewerTokens.issue(principal, {
          tenantId,
          filters,
          lifetimeMs: body.expires_in === undefined ? viewerLifetimeMs.standard : body.expires_in * 1_000,
          includeRecords: body.include_records ?? true,
          includeIngest: body.include_ingest ?? false,
        });
        if (made === undefined)
          throw new HttpProblem(
            'RATE_LIMITED',
            `the key has ${maxLiveTokens} viewer tokens that have not expired: revoke some, or wait`,
            { headers: { 'retry-after': '60' } },
          );
        const answer: CreatedViewerToken = { ...made.info, token: made.token };
        return { status: 201, body: answer };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/viewer-tokens',
      operationId: 'listViewerTokens',
      tag,
      summary: 'List the viewer tokens that work at the moment',
      description:
        'The newest first, without their secrets. A key for some tenants sees the tokens of those, whichever key made them.',
      access: 'viewer-tokens:issue',
      query: z.strictObject({ limit: limit(1_000, 100), cursor: cursor.optional() }),
      responses: { 200: { description: 'One page', schema: viewerTokenPage } },
      async handle({ principal, query }) {
        const request = ['viewer-tokens', principal.tenants ?? null];
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, request, place);
        const { tokens, next } = await viewerTokens.list({
          among: principal.tenants,
          after: after === undefined ? undefined : { createdAt: after[0], id: after[1] },
          limit: query.limit,
        });
        const body: ViewerTokenPage = {
          viewer_tokens: tokens,
          ...(next !== undefined && { next_cursor: encodeCursor(request, [next.createdAt, next.id]) }),
        };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/viewer-tokens/current',
      operationId: 'getCurrentViewerToken',
      tag,
      summary: 'Get the tenant and the end of the token that calls',
      access: 'viewer',
      viewers: true,
      responses: { 200: { description: 'The token of the call', schema: viewerTokenState } },
      async handle({ principal: { viewer, tenants, expiresAt } }) {
        const body: ViewerTokenState = {
          tenant_id: tenants![0]!,
          include_records: viewer!.includeRecords,
          include_ingest: viewer!.includeIngest,
          expires_at: new Date(expiresAt!).toISOString(),
        };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/v1/viewer-tokens/{id}',
      operationId: 'revokeViewerToken',
      tag,
      summary: 'Revoke a viewer token',
      description:
        'Every replica refuses it from now on, and its streams end within a second. A key for some tenants revokes the tokens of those, ' +
        'whichever key made them. Recorded as `audit.viewer_token_revoked`.',
      access: 'viewer-tokens:issue',
      params: z.strictObject({
        id: z
          .string()
          .regex(/^[0-9a-f]{16}$/, { message: 'must be the id of a viewer token' })
          .describe('Id of the viewer token'),
      }),
      responses: { 204: { description: 'The token is revoked' } },
      problems: ['NOT_FOUND'],
      async handle({ principal, params }) {
        await viewerTokens.revoke(params.id, principal);
        return { status: 204 };
      },
    }),
  ];
}

/**
 * Reads the filters as a stream reads its parameters.
 *
 * @throws {HttpProblem} `PARAMETER_INVALID`, also for a name that is not a filter
 */
function readFilters(given: ViewerFilters): EventFilters {
  const parameters = Object.entries(given).map(([name, values]) => [name, [values].flat().map(String)]);
  const read = validate(filterParameters, Object.fromEntries(parameters), 'PARAMETER_INVALID');
  if (Object.keys(read).length !== parameters.length)
    throw new HttpProblem(
      'PARAMETER_INVALID',
      'filters has a name that is not a filter of the stream of events',
    );
  return filtersOf(read);
}
