import { expect, test } from 'vitest';
import * as z from 'zod';
import { answer, componentNames, request } from '../../../src/http/openapi/component.ts';

interface Report {
  readonly verdict: 'verified' | 'broken';
  readonly findings: readonly { readonly code: string; readonly found?: string | undefined }[];
}

const finding = z.object({ code: z.string(), found: z.string().optional() });
const verdict = z.enum(['verified', 'broken']);

test('a schema that describes the type exactly is named in the document', () => {
  const schema = answer<Report>()('Report', z.object({ verdict, findings: z.array(finding) }));
  expect(componentNames.get(schema)).toEqual({ id: 'Report' });
  request<{ dry_run?: boolean | undefined }>()('Dry', z.object({ dry_run: z.boolean().default(true) }));
});

// The compiler runs these tests: `npm run check` fails if one of these compiles.
test('a schema that differs from the type does not compile', () => {
  // @ts-expect-error a value of the type is missing
  answer<Report>()('A', z.object({ verdict: z.literal('verified'), findings: z.array(finding) }));
  // @ts-expect-error a member of the type is missing, deep inside
  answer<Report>()('B', z.object({ verdict, findings: z.array(finding.omit({ found: true })) }));
  // @ts-expect-error an optional member is required
  answer<Report>()('C', z.object({ verdict, findings: z.array(finding.required()) }));
  // @ts-expect-error a member that the type does not have
  answer<Report>()('D', z.object({ verdict, findings: z.array(finding), more: z.string().optional() }));
  // @ts-expect-error what a client sends differs from what the service reads
  answer<{ dry_run?: boolean | undefined }>()('E', z.object({ dry_run: z.boolean().default(true) }));
});
