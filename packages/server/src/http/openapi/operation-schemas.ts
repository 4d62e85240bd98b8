import { deadLetterStates, scopes } from '@tallystick/protocol';
import * as z from 'zod';
import { storable } from '../../ingest/admit/storable.ts';
import { tenantId, text, timestamp, uuid } from '../kernel/parameters.ts';

/** Names under which types stand in the document's components. */
export const componentNames = z.registry<{ id: string }>();

function named<T extends z.ZodType>(id: string, type: T): T {
  componentNames.add(type, { id });
  return type;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const base64 = z.string().describe('32 bytes, standard base64 with padding');
const time = z.iso.datetime();
const count = z.int().min(0);

const receipt = named(
  'Receipt',
  z.object({
    audit_id: z.string(),
    tenant_id: z.string(),
    epoch: count,
    sequence_number: count,
    record_hash: hash,
    ingested_at: time,
  }),
);

const detail = z.object({ code: z.string(), pointer: z.string(), message: z.string() });

export const stored = named('Stored', z.object({ status: z.enum(['chained', 'duplicate']), receipt }));

export const accepted = named(
  'Accepted',
  z.object({
    status: z.literal('accepted').describe('Durable in a queue before the chain; there is no receipt yet'),
    audit_id: z.string(),
  }),
);

const refused = named(
  'Refused',
  z.object({
    status: z.enum(['conflict', 'rejected']),
    error: detail.extend({
      violations: z.array(detail),
      dead_letter_id: z.string().optional().describe('Where the refused event is kept'),
    }),
  }),
);

export const batchResult = named(
  'BatchResult',
  z.object({
    results: z
      .array(
        z.union([
          stored.extend({ index: count }),
          accepted.extend({ index: count }),
          refused.extend({ index: count }),
        ]),
      )
      .describe('One for each event, in their order'),
  }),
);

const noted = named(
  'Noted',
  z.object({
    status: z
      .literal('noted')
      .describe("A producer's statement without a gap: it is in its account, and nothing is chained"),
  }),
);

export const retryResult = named('RetryResult', z.union([stored, noted, refused]));

export const inclusionProof = named(
  'InclusionProof',
  z.object({ origin: z.string(), index: count, size: count, hashes: z.array(base64) }),
);

export const consistencyProof = named(
  'ConsistencyProof',
  z.object({ origin: z.string(), from: count, to: count, hashes: z.array(base64) }),
);

export const logKeys = named(
  'LogKeys',
  z.object({
    origin: z.string(),
    keys: z.array(z.object({ key: z.string(), created_at: time, retired_at: time.optional() })),
  }),
);

export const tenantList = named(
  'TenantList',
  z.object({
    tenants: z.array(
      z.object({
        tenant_id: z.string(),
        epoch: count,
        size: count,
        head_hash: hash,
        last_ingested_at: time,
        signed_size: count.nullable(),
      }),
    ),
    next_cursor: z.string().optional(),
  }),
);

export const producerList = named(
  'ProducerList',
  z.object({
    producers: z.array(
      z.object({
        submitter: z.string().describe('The key, or the topic, that its events came by'),
        producer_id: z.string(),
        tenant_id: z.string(),
        service: z.string().nullable(),
        state: z.enum(['closed', 'open', 'unclosed', 'running']),
        numbers: count.describe('The highest number that is known of'),
        open_numbers: count.describe('How many numbers are not accounted for'),
        open: z.array(z.array(count)).describe('The first hundred ranges of them, ends included'),
        final_seq: count.nullable(),
        first_seen_at: time,
        last_seen_at: time,
      }),
    ),
    next_cursor: z.string().optional(),
  }),
);

const scope = z.enum(scopes);

export const newApiKey = named(
  'NewApiKey',
  z.strictObject({
    name: z.string().min(1).max(200).describe('For people: whose key it is'),
    scopes: z.array(scope).min(1).max(scopes.length),
    tenants: z.array(z.string()).min(1).max(1_000).optional().describe('Every tenant where absent'),
    expires_at: time.optional(),
  }),
);

export const createdApiKey = named(
  'CreatedApiKey',
  z.object({ id: z.string(), key: z.string().describe('Shown this once') }),
);

export const apiKeyList = named(
  'ApiKeyList',
  z.object({
    api_keys: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        scopes: z.array(scope),
        tenants: z.array(z.string()).optional(),
        created_at: time,
        expires_at: time.optional(),
        revoked_at: time.optional(),
      }),
    ),
  }),
);

const deadLetter = z.object({
  id: z.string(),
  tenant_id: z.string().nullable(),
  audit_id: z.string().nullable(),
  source: z.string(),
  topic: z
    .string()
    .nullable()
    .describe('Where the message lies that brought it; null where it came another way'),
  partition: count.nullable(),
  offset: count.nullable(),
  principal: z.string().nullable(),
  producer_id: z.string().nullable().describe('The process that produced it'),
  producer_seq: count.nullable().describe('Its number there'),
  reason: z.string(),
  pointer: z.string(),
  message: z.string(),
  bytes: count,
  first_seen_at: time,
  last_seen_at: time,
  seen: count,
  state: z.enum(deadLetterStates),
  settled_at: time.nullable(),
  settled_by: z.string().nullable(),
});

export const deadLetterList = named(
  'DeadLetterList',
  z.object({ dead_letters: z.array(deadLetter), next_cursor: z.string().optional() }),
);

export const deadLetterWithPayload = named(
  'DeadLetter',
  deadLetter.extend({
    raw_base64: z.string().optional().describe('The bytes as received; only with the scope `admin`'),
  }),
);

export const settleRequest = named(
  'ProducerSettlement',
  z
    .strictObject({
      tenant_id: tenantId.optional(),
      producer_ids: z.array(uuid('Identity of a producer')).min(1).max(1_000).optional(),
      silent_seconds: z
        .int()
        .min(1)
        .max(366 * 86_400)
        .optional()
        .describe('How long a producer must have been silent; an hour where absent'),
      reason: storable(128).describe('Why they will say nothing more; it stands in the records'),
      dry_run: z.boolean().default(true).describe('Only count'),
    })
    .describe('Accounts that are open or unclosed, and fit all that is said'),
);

export const settleResult = named(
  'ProducersSettled',
  z.object({
    settled: z.boolean().describe('Whether they are; false where they were only counted'),
    accounts: count.describe('One for each producer and tenant'),
    numbers: count.describe('Numbers declared lost'),
  }),
);

export const purgeRequest = named(
  'DeadLetterPurge',
  z
    .strictObject({
      tenant_id: tenantId.optional(),
      ids: z.array(uuid('Identity of a dead letter')).min(1).max(1_000).optional(),
      state: z.enum(['open', 'retried']).optional(),
      reason: text('Code of the refusal').optional(),
      topic: text('Topic of the messages').optional(),
      before: timestamp('Last delivered before this').optional(),
      dry_run: z.boolean().default(true).describe('Only count'),
    })
    .describe('Letters that fit all that is said'),
);

export const purgeResult = named(
  'DeadLettersPurged',
  z.object({
    purged: z.boolean().describe('Whether they are; false where they were only counted'),
    letters: count,
    by_reason: z.record(z.string(), count),
  }),
);

const finding = z.object({
  code: z.string(),
  sequence_number: count.nullable(),
  expected: z.string().optional(),
  found: z.string().optional(),
});

export const verifyReport = named(
  'VerifyReport',
  z.object({
    verdict: z.enum(['verified', 'recovered', 'broken', 'not_verifiable']),
    tenant_id: z.string(),
    epoch: count,
    first: count.nullable(),
    last: count.nullable(),
    records: count,
    covered_to: count.nullable(),
    unsigned_tail: count,
    head: hash.nullable(),
    complete: z.boolean(),
    next_sequence: count.optional(),
    trust: z.object({ source: z.literal('service'), keys: z.array(z.string()) }),
    findings: z.array(finding),
  }),
);

export const health = named('Health', z.object({ status: z.literal('ok'), version: z.string() }));

export const readiness = named(
  'Readiness',
  z.object({
    status: z.enum(['ready', 'degraded', 'unavailable']),
    reasons: z.array(z.string()),
    stopped_chains: count,
    stopped: z
      .record(z.string(), z.string())
      .optional()
      .describe('Which chains, and why; only with a key of the scope `admin` for every tenant'),
  }),
);
