import type {
  ConsistencyProof,
  InclusionProof,
  LogKeys,
  TenantPage,
  VerificationPage,
  VerifyReport,
} from '@tallystick/protocol';
import * as z from 'zod';
import { answer, base64, count, hash, range, time } from '../component.ts';

export const inclusionProof = answer<InclusionProof>()(
  'InclusionProof',
  z.object({ origin: z.string(), index: count, size: count, hashes: z.array(base64) }),
);

export const consistencyProof = answer<ConsistencyProof>()(
  'ConsistencyProof',
  z.object({ origin: z.string(), from: count, to: count, hashes: z.array(base64) }),
);

export const logKeys = answer<LogKeys>()(
  'LogKeys',
  z.object({
    origin: z.string(),
    keys: z.array(z.object({ key: z.string(), created_at: time, retired_at: time.optional() })),
    rotations: z.array(
      z.object({
        statement: z.string(),
        last: z.object({ size: count, root: base64, index: count, hashes: z.array(base64) }).optional(),
      }),
    ),
  }),
);

const verdict = z.enum(['verified', 'recovered', 'broken', 'not_verifiable']);

export const tenantList = answer<TenantPage>()(
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
        signed_at: time.nullable(),
        last_verification: z.object({ verdict, checked_at: time, size: count }).nullable(),
      }),
    ),
    next_cursor: z.string().optional(),
  }),
);

const finding = z.object({
  code: z.string(),
  sequence_number: count.nullable(),
  epoch: z.int().optional(),
  expected: z.string().optional(),
  found: z.string().optional(),
});

export const verificationList = answer<VerificationPage>()(
  'VerificationList',
  z.object({
    verifications: z.array(
      z.object({
        id: count,
        run_id: count,
        tenant_id: z.string(),
        checked_at: time,
        checked_by: z.string().nullable(),
        verdict,
        epoch: count,
        first: count.nullable(),
        last: count.nullable(),
        records: count,
        unsigned_tail: count,
        findings: count,
        first_finding: finding.nullable(),
        whole: z.boolean(),
      }),
    ),
    next_cursor: z.string().optional(),
  }),
);

export const verifyReport = answer<VerifyReport>()(
  'VerifyReport',
  z.object({
    verdict,
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
    closed: z
      .array(
        z.object({
          epoch: count,
          origin: z.string(),
          signed: count,
          records: count.nullable(),
          lost: z.array(range),
          lost_records: count,
        }),
      )
      .optional(),
    accounts_not_on_record: count.optional(),
    operations_not_on_record: count.optional(),
  }),
);
