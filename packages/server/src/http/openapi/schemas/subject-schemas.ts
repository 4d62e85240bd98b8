import type { BlockedSubjectList, SubjectBlock } from '@tallystick/protocol';
import * as z from 'zod';
import { storable } from '../../../ingest/admit/delivery.ts';
import { answer, request, time } from '../component.ts';

export const subjectBlock = request<SubjectBlock>()(
  'SubjectBlock',
  z.strictObject({
    subject: storable(512).describe('Of a login: the issuer, `#`, and the `sub` of the token'),
    reason: storable(500).optional().describe('For people'),
  }),
);

export const blockedSubjectList = answer<BlockedSubjectList>()(
  'BlockedSubjectList',
  z.object({
    subjects: z.array(
      z.object({
        subject: z.string(),
        blocked_at: time,
        blocked_by: z.string(),
        reason: z.string().optional(),
      }),
    ),
  }),
);
