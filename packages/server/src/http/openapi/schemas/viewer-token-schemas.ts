import type {
  CreatedViewerToken,
  NewViewerToken,
  ViewerFilters,
  ViewerTokenPage,
  ViewerTokenState,
} from '@tallystick/protocol';
import * as z from 'zod';
import { documented, tenantId } from '../../kernel/requests/parameters.ts';
import { answer, request, time } from '../component.ts';

const value = { type: ['string', 'boolean'], minLength: 1, maxLength: 512 };

/**
 * Not `z.record`, which skips a member `__proto__`: the token would then have a filter less, and show more. The names are checked later, like
 * the parameters of a stream.
 */
const filters = documented(
  z.custom<ViewerFilters>(isFilters, {
    message: 'must be an object of texts, booleans, or lists of up to 50 of them that are not empty',
  }),
  {
    type: 'object',
    additionalProperties: { anyOf: [value, { type: 'array', items: value, minItems: 1, maxItems: 50 }] },
    description:
      'Each member is a parameter of the stream of events: `{"actor": "user:maria", "not.severity": ["info"], "metadata.customer": "4711"}`. ' +
      'Several values mean any of them; an event must match all members',
  },
);

function isFilters(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  return Object.values(given).every((values) => {
    const list = [values].flat();
    return list.length > 0 && list.length <= 50 && list.every(isValue);
  });
}

function isValue(given: unknown): boolean {
  if (typeof given === 'boolean') return true;
  return typeof given === 'string' && given !== '' && given.length <= 512;
}

export const newViewerToken = request<NewViewerToken>()(
  'NewViewerToken',
  z.strictObject({
    tenant_id: tenantId.optional(),
    filters: filters.optional(),
    expires_in: z
      .int()
      .min(60)
      .max(3_600)
      .optional()
      .describe('Seconds that the token works; 900 where absent'),
    include_records: z
      .boolean()
      .optional()
      .describe(
        'Whether the token reads the bytes of records, with which a browser checks their hashes; true where absent',
      ),
    include_ingest: z
      .boolean()
      .optional()
      .describe('Whether events show how and by whom they were submitted; false where absent'),
  }),
);

const info = {
  id: z.string(),
  tenant_id: z.string(),
  filters,
  include_records: z.boolean(),
  include_ingest: z.boolean(),
  issued_by: z.string().describe('`key:<id>`: the API key, with which the token ends'),
  created_at: time,
  expires_at: time,
};

export const createdViewerToken = answer<CreatedViewerToken>()(
  'CreatedViewerToken',
  z.object({ ...info, token: z.string().describe('The service shows the token only in this answer') }),
);

export const viewerTokenPage = answer<ViewerTokenPage>()(
  'ViewerTokenPage',
  z.object({ viewer_tokens: z.array(z.object(info)), next_cursor: z.string().optional() }),
);

export const viewerTokenState = answer<ViewerTokenState>()(
  'ViewerTokenState',
  z.object({
    tenant_id: z.string(),
    include_records: z.boolean(),
    include_ingest: z.boolean(),
    expires_at: time,
  }),
);
