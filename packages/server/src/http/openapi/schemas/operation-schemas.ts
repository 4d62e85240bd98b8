import {
  type ApiKeyList,
  type CreatedApiKey,
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetterPurge,
  type DeadLettersPurged,
  deadLetterStates,
  type Health,
  type NewApiKey,
  type ProducerPage,
  type ProducerSettlement,
  type ProducersSettled,
  type Readiness,
  scopeMeanings,
  scopes,
} from '@tallystick/protocol';
import * as z from 'zod';
import { storable } from '../../../ingest/admit/delivery.ts';
import {
  isTimestamp,
  tenantId,
  text,
  timestamp,
  timestampMessage,
  uuid,
} from '../../kernel/requests/parameters.ts';
import { answer, count, range, request, time } from '../component.ts';

export const producerList = answer<ProducerPage>()(
  'ProducerList',
  z.object({
    producers: z.array(
      z.object({
        submitter: z.string().describe('The API key or the Kafka topic that the events came through'),
        producer_id: z.string(),
        tenant_id: z.string(),
        service: z.string().nullable(),
        state: z.enum(['closed', 'open', 'unclosed', 'running']),
        ephemeral: z.boolean().describe('The producer declared that its runtime may end it without notice'),
        numbers: count.describe('The highest number that the service knows of'),
        open_numbers: count.describe('How many numbers have no known outcome'),
        open: z.array(range).describe('The first hundred ranges of those numbers, both ends included'),
        final_seq: count.nullable(),
        first_seen_at: time,
        last_seen_at: time,
      }),
    ),
    next_cursor: z.string().optional(),
  }),
);

export const settleRequest = request<ProducerSettlement>()(
  'ProducerSettlement',
  z
    .strictObject({
      tenant_id: tenantId.optional(),
      producer_ids: z.array(uuid('Id of a producer')).min(1).max(1_000).optional(),
      silent_seconds: z
        .int()
        .min(1)
        .max(366 * 86_400)
        .optional()
        .describe('How long a producer must have been silent. Absent: one hour'),
      reason: storable(128).describe(
        'Why these producers will send nothing more. It becomes part of the records',
      ),
      dry_run: z.boolean().default(true).describe('Only count'),
    })
    .describe('Selects accounts that are open or unclosed and match every member that is given'),
);

export const settleResult = answer<ProducersSettled>()(
  'ProducersSettled',
  z.object({
    settled: z.boolean().describe('False if the service only counted'),
    accounts: count.describe('Number of accounts: one for each producer and tenant'),
    numbers: count.describe('How many numbers were declared lost'),
  }),
);

const deadLetterInfo = z.object({
  id: z.string(),
  tenant_id: z.string().nullable(),
  audit_id: z.string().nullable(),
  source: z.string(),
  topic: z
    .string()
    .nullable()
    .describe('Kafka topic of the message that carried the event; null if it did not come from Kafka'),
  partition: count.nullable(),
  offset: count.nullable(),
  principal: z.string().nullable(),
  producer_id: z.string().nullable().describe('Id of the producing process'),
  producer_seq: count.nullable().describe('Number of the event in that process'),
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

export const deadLetterList = answer<DeadLetterPage>()(
  'DeadLetterList',
  z.object({ dead_letters: z.array(deadLetterInfo), next_cursor: z.string().optional() }),
);

export const deadLetterWithPayload = answer<DeadLetter>()(
  'DeadLetter',
  deadLetterInfo.extend({
    raw_base64: z
      .string()
      .optional()
      .describe('The bytes as received, in standard base64. Only for the scope `admin`'),
  }),
);

export const purgeRequest = request<DeadLetterPurge>()(
  'DeadLetterPurge',
  z
    .strictObject({
      tenant_id: tenantId.optional(),
      ids: z.array(uuid('Id of a dead letter')).min(1).max(1_000).optional(),
      state: z.enum(['open', 'retried']).optional(),
      reason: text('Code of the refusal').optional(),
      topic: text('Kafka topic that the events came from').optional(),
      before: timestamp('Dead letters that were last delivered before this time').optional(),
      dry_run: z.boolean().default(true).describe('Only count'),
    })
    .describe('Selects dead letters that match every member that is given'),
);

export const purgeResult = answer<DeadLettersPurged>()(
  'DeadLettersPurged',
  z.object({
    purged: z.boolean().describe('False if the service only counted'),
    letters: count,
    by_reason: z.record(z.string(), count),
  }),
);

const scope = z.enum(scopes).describe(scopes.map((each) => `\`${each}\`: ${scopeMeanings[each]}`).join('. '));

export const newApiKey = request<NewApiKey>()(
  'NewApiKey',
  z.strictObject({
    name: storable(200).describe('A name by which people recognise the key'),
    scopes: z.array(scope).min(1).max(scopes.length),
    tenants: z.array(z.string()).min(1).max(1_000).optional().describe('Absent: every tenant'),
    expires_at: time.refine(isTimestamp, { message: timestampMessage }).optional(),
    subject: storable(512)
      .optional()
      .describe('The person or agent who uses the key. Two keys of one person have the same subject'),
  }),
);

export const createdApiKey = answer<CreatedApiKey>()(
  'CreatedApiKey',
  z.object({ id: z.string(), key: z.string().describe('The service shows the key only in this answer') }),
);

export const apiKeyList = answer<ApiKeyList>()(
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
        subject: z.string().optional(),
      }),
    ),
  }),
);

export const health = answer<Health>()('Health', z.object({ status: z.literal('ok'), version: z.string() }));

export const readiness = answer<Readiness>()(
  'Readiness',
  z.object({
    status: z.enum(['ready', 'degraded', 'unavailable']),
    reasons: z.array(z.string()),
    stopped_chains: count,
    followers: z
      .array(
        z.object({
          name: z.string(),
          state: z.enum(['running', 'paused', 'rebuilding']),
          lag_records: count.describe('Records that it has not read'),
          lag_seconds: z.number().min(0).describe('Age of the oldest of them'),
          stopped_tenants: count.describe('Tenants for which it has stopped'),
        }),
      )
      .optional()
      .describe(
        'How far each follower that runs in this process is. It does not change the status, unless a bound on the lag is set',
      ),
    stopped: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        'The reason for each stopped chain, by tenant. Only for a key with the scope `admin` for every tenant',
      ),
  }),
);
