import type { BlockedSubjectList } from '@tallystick/protocol';
import * as z from 'zod';
import type { BlockedSubjects } from '../../../access/blocked-subjects.ts';
import { ServerError } from '../../../errors.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { text } from '../../kernel/requests/parameters.ts';
import { blockedSubjectList, subjectBlock } from '../../openapi/schemas/subject-schemas.ts';

const tag = 'API keys';

/** Routes that block subjects, whose logins and keys the service then refuses. */
export function subjectRoutes({ subjects }: { readonly subjects: BlockedSubjects }): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/blocked-subjects',
      operationId: 'listBlockedSubjects',
      tag,
      summary: 'List blocked subjects',
      access: 'operator',
      responses: { 200: { description: 'Every blocked subject', schema: blockedSubjectList } },
      async handle() {
        const body: BlockedSubjectList = { subjects: await subjects.list() };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/blocked-subjects',
      operationId: 'blockSubject',
      tag,
      summary: 'Block a subject',
      description:
        'Its logins and the keys that are bound to it are refused within a second on every replica, also while a token is valid. Its ' +
        'streams end within a second. The block is recorded.',
      access: 'operator',
      body: { schema: subjectBlock },
      responses: { 204: { description: 'The subject is blocked' } },
      problems: ['PARAMETER_INVALID'],
      async handle({ principal, body: { subject, reason } }) {
        if (subject === principal.subject)
          throw new ServerError('PARAMETER_INVALID', 'a subject can not block itself', {
            details: { parameter: 'subject' },
          });
        await subjects.block(subject, reason, principal.id);
        return { status: 204 };
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/v1/blocked-subjects',
      operationId: 'unblockSubject',
      tag,
      summary: 'End the block of a subject',
      access: 'operator',
      query: z.strictObject({ subject: text('The subject') }),
      responses: { 204: { description: 'The subject is not blocked any more' } },
      problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CLOCK_BEHIND_CHAIN'],
      async handle({ principal, query: { subject } }) {
        await subjects.unblock(subject, principal.id);
        return { status: 204 };
      },
    }),
  ];
}
