import { Readable } from 'node:stream';
import {
  type ExportPosition,
  exportFormat,
  exportFormatNames,
  formatExportPosition,
  parseExportPosition,
} from '@tallystick/event';
import { exportUntilHeader } from '@tallystick/protocol';
import * as z from 'zod';
import type { KeyWatch } from '../../../access/key-watch.ts';
import { holderOf, type Principal } from '../../../access/principal.ts';
import { ServerError } from '../../../errors.ts';
import type { ReadAudit } from '../../../operations/read-audit.ts';
import type { EvidenceSources } from '../../../proofs/page-evidence.ts';
import { planSelection, selectionLines } from '../../../proofs/selection-export.ts';
import { exportLines } from '../../../trail/export.ts';
import { readSearch } from '../../../trail/read-search.ts';
import type { Trail } from '../../../trail/trail.ts';
import { requireBytes, tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import type { LongRequests } from '../../kernel/limits/long-requests.ts';
import { limited } from '../../kernel/limits/rate-limits.ts';
import { TokenBuckets } from '../../kernel/limits/token-buckets.ts';
import { documented, flag } from '../../kernel/requests/parameters.ts';
import { eventSearch, filtersOf, includeReads, withMemberFilters } from './event-filters.ts';

const position = (description: string) =>
  documented(
    z
      .string()
      .transform((text, context) => {
        const read = parseExportPosition(text);
        if (read !== undefined) return read;
        context.addIssue({
          code: 'custom',
          message: 'must be an epoch and a sequence number with a hyphen between them, such as 1-4711',
        });
        return z.NEVER;
      })
      .describe(description),
    { type: 'string', maxLength: 27, examples: ['1-4711'], description },
  );

/** Exports with one viewer token. Each is a record in the chain of the tenant, and the holder of a token must not be able to fill it. */
const viewerRate = { perSecond: 10 / 60, burst: 30 };

/** The route that exports events as CSV or JSON lines. */
export function exportRoutes({
  trail,
  readAudit,
  longRequests,
  keyWatch,
  evidence,
  now,
}: {
  readonly now: () => number;
  readonly evidence: EvidenceSources;
  readonly trail: Trail;
  readonly readAudit: ReadAudit;
  readonly longRequests: LongRequests;
  readonly keyWatch: KeyWatch;
}): Endpoint[] {
  const ofViewers = new TokenBuckets(now);
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/events/export',
      operationId: 'exportEvents',
      tag: 'Events',
      summary: 'Export events as CSV or JSON lines',
      description:
        'All events that match the filters and the search `q`, oldest first, one in each line, in one answer. The end is fixed when the request ' +
        `arrives; the header \`${exportUntilHeader}\` states it. If the connection breaks, send the request again with \`after\`: ` +
        'the place of the last whole line, and `until`: the value of that header. Both files together are then the whole ' +
        'export. Without the scope `events:read-sensitive`, sensitive events appear without their content, and they are left ' +
        'out if a filter or a search looks at the content. The export is recorded in the chain as `audit.exported`. The file proves ' +
        'nothing by itself.\n\n' +
        'CSV is that of RFC 4180, with a column for each field; objects are JSON. A text that a spreadsheet would take for a ' +
        'formula begins with an apostrophe. Control characters are written as `\\n` or `\\u001b`.\n\n' +
        'A program should ask for `end`: some proxies make a broken answer look like a whole one. For the same reason, a request with HTTP/1.0 ' +
        'needs `end` or `evidence`, whose lines have an end of their own.\n\n' +
        'With `evidence`, the lines are the bytes of the records with one proof, from which a client makes a file that others can verify ' +
        '(spec/selection.md). The first line has the checkpoint, which is signed if the newest one does not cover the export. If the ' +
        'connection breaks, send `tree` too. A viewer token exports 30 times at once, and then 10 times a minute.',
      access: 'events:read',
      viewers: true,
      query: withMemberFilters({
        ...eventSearch,
        include_reads: includeReads,
        format: z.enum(exportFormatNames).default('csv').describe('The format of the lines'),
        after: position('Begin after the event at this place, `<epoch>-<sequence_number>`').optional(),
        until: position(
          'Where to end, `<epoch>-<sequence_number>`. Absent: with the newest record',
        ).optional(),
        end: flag(
          'Whether a last line, `{"end":{"events":3}}`, states how many events the answer has: without it, the answer was cut off',
        ).optional(),
        evidence: flag('Export the records with a proof, and not as lines of `format`').optional(),
        tree: position(
          'With `evidence` and `after`: the tree of the checkpoint in the first line, `<epoch>-<size>`',
        ).optional(),
      }),
      responses: {
        200: {
          description: 'The lines',
          type: exportFormatNames.map((name) => exportFormat(name).mediaType.split(';')[0]!),
        },
      },
      problems: ['OVERLOADED', 'NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'],
      async handle({ principal, query, request, reply, signal }) {
        const {
          tenant_id,
          q,
          include_reads,
          format: name,
          after,
          until,
          end: withEnd,
          evidence: isProven,
          tree,
          ...given
        } = query;
        refuseTreeAlone({ isProven, after, tree });
        refuseHiddenEnd({ isProven, withEnd, httpVersion: request.raw.httpVersion });
        const view = viewOf(principal, isProven === true);
        if (isProven === true) requireBytes(view);
        const tenantId = tenantOf(principal, tenant_id);
        // Refuses a text that is not a search before the answer begins.
        if (q !== undefined) readSearch(q);
        if (principal.viewer !== undefined) {
          const taken = ofViewers.take(principal.id, viewerRate);
          if (!taken.allowed)
            throw limited(taken, 'a viewer token may export 10 times a minute: wait a moment');
        }
        longRequests.begin(reply.raw, holderOf(principal));
        const format = exportFormat(name);
        const filters = filtersOf(given);
        const head = await trail.head(tenantId);
        const end = until ?? head ?? { epoch: 1, sequence: 0 };
        const plan =
          isProven === true
            ? tree === undefined
              ? await planSelection(evidence, tenantId, end)
              : { head: undefined, tree: { epoch: tree.epoch, size: tree.sequence } }
            : undefined;
        if (head !== undefined) {
          await readAudit.exported(
            { principal: principal.id, tenantId },
            {
              format: plan === undefined ? name : 'evidence',
              filters,
              ...(q !== undefined && { q }),
              until: formatExportPosition(end),
              ...(after !== undefined && { after: formatExportPosition(after) }),
            },
          );
        }
        const selected = { tenantId, filters, q, after, until: end, includeReads: include_reads };
        const lines = whileUsable(keyWatch, principal, (unusable) =>
          plan === undefined
            ? exportLines(trail, { ...selected, format, withEnd }, view, AbortSignal.any([signal, unusable]))
            : selectionLines(
                { trail, database: evidence.database },
                { ...selected, ...plan },
                view,
                AbortSignal.any([signal, unusable]),
              ),
        );
        const fileName = tenantId.replaceAll(/[^\w.-]/g, '_');
        return {
          status: 200,
          type: plan === undefined ? format.mediaType : 'application/x-ndjson',
          headers: {
            'content-disposition': `attachment; filename="${fileName}.${plan === undefined ? name : 'evidence.jsonl'}"`,
            [exportUntilHeader]: formatExportPosition(end),
          },
          stream: Readable.from(lines, { objectMode: false }),
        };
      },
    }),
  ];
}

/** Lines that end with an error when the key or login that asked for them can't be used any more. */
async function* whileUsable(
  keyWatch: KeyWatch,
  principal: Principal,
  lines: (unusable: AbortSignal) => AsyncIterable<string>,
): AsyncGenerator<string> {
  const stop = new AbortController();
  const endWatch = keyWatch.watch(principal, () => stop.abort());
  try {
    yield* lines(stop.signal);
  } finally {
    endWatch();
  }
}

/** @throws {ServerError} `PARAMETER_INVALID` for `after` without `tree` in an export with evidence, and for any other `tree` */
function refuseTreeAlone({
  isProven,
  after,
  tree,
}: {
  readonly isProven: boolean | undefined;
  readonly after: ExportPosition | undefined;
  readonly tree: ExportPosition | undefined;
}): void {
  const isDue = isProven === true && after !== undefined;
  if (isDue === (tree !== undefined)) return;
  const message = isDue ? 'after needs tree in an export with evidence' : 'tree needs evidence and after';
  throw new ServerError('PARAMETER_INVALID', message, { details: { parameter: 'tree' } });
}

/**
 * Without chunks, HTTP/1.0 can't tell an answer that ended from one that broke, and many installations of nginx speak it to services. What they
 * pass on then looks whole.
 *
 * @throws {ServerError} `PARAMETER_INVALID`
 */
function refuseHiddenEnd({
  isProven = false,
  withEnd = false,
  httpVersion,
}: {
  readonly isProven: boolean | undefined;
  readonly withEnd: boolean | undefined;
  readonly httpVersion: string;
}): void {
  const refuse = (message: string) =>
    new ServerError('PARAMETER_INVALID', message, { details: { parameter: 'end' } });
  if (isProven && withEnd)
    throw refuse('end is not possible with evidence, whose last line is an end of its own');
  if (httpVersion === '1.0' && !isProven && !withEnd)
    throw refuse(
      'over HTTP/1.0 an export that was cut off looks like a whole one: use HTTP/1.1 (in nginx: proxy_http_version 1.1), or ask with end=true',
    );
}
