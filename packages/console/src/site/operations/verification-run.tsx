import type { VerifyReport } from '@tallystick/protocol';
import { Failure } from '../elements/notices/failure.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { TableFrame } from '../elements/tables/table-frame.tsx';
import { verdicts, worstOf } from '../trail/verdicts.ts';
import './operations.css';

/** A check of a chain that runs, or has run, on this page. */
export interface PageRun {
  /** Those of its parts until now. */
  readonly reports: readonly VerifyReport[];
  readonly state: 'running' | 'stopped' | 'done';
  /** Number of records of the chain when the check began; `undefined` where it is not known. */
  readonly size: number | undefined;
  readonly error?: unknown;
}

/** How far a check is, and what it has found. */
export function RunState({ run: { reports, state, size, error } }: { readonly run: PageRun }) {
  const records = reports.reduce((sum, report) => sum + report.records, 0);
  const worst = worstOf(reports.map(({ verdict }) => verdict));
  const findings = reports.flatMap((report) => report.findings);
  return (
    <>
      {state === 'running' && (
        <p role="status" class="run-progress">
          <progress
            aria-label="Records checked"
            max={size}
            {...(size !== undefined && { value: Math.min(records, size) })}
          />
          <span class="soft number">
            {records.toLocaleString()}
            {size !== undefined && size >= records && ` of ${size.toLocaleString()}`} records checked …
          </span>
        </p>
      )}
      {error !== undefined && <Failure error={error} />}
      {state === 'stopped' && error === undefined && (
        <Notice tone="warn" title="The check was stopped">
          <p>
            {records === 0
              ? 'No record was checked.'
              : `Only the first ${records.toLocaleString()} records were checked.`}
          </p>
        </Notice>
      )}
      {state === 'done' && worst !== undefined && (
        <Notice tone={verdicts[worst].tone} title={verdicts[worst].title}>
          <p>
            {records.toLocaleString()} records were checked. {unsignedText(reports.at(-1)!)}
          </p>
          {worst === 'broken' && (
            <p>
              Records were changed, added or removed in the database. Keep the database as it is, verify it
              with <code>tally verify</code> and a key that you kept, then restore it from a backup.
            </p>
          )}
        </Notice>
      )}
      {findings.length > 0 && <Findings findings={findings} />}
    </>
  );
}

const columns = ['Finding', 'Record', 'Expected', 'Found'];

function Findings({ findings }: { readonly findings: VerifyReport['findings'] }) {
  return (
    <TableFrame name="Findings" columns={columns} numbers={[1]}>
      {findings.map(({ code, sequence_number, expected, found }, at) => (
        <tr key={at}>
          <td>
            <code class="one-line">{code}</code>
            <div class="faint">{meanings[code]}</div>
          </td>
          <td class="number">{sequence_number ?? ''}</td>
          <td class="long">
            <code>{expected ?? ''}</code>
          </td>
          <td class="long">
            <code>{found ?? ''}</code>
          </td>
        </tr>
      ))}
    </TableFrame>
  );
}

/** What the usual findings of the service about itself mean. */
const meanings: { readonly [code: string]: string } = {
  RECORD_HASH_MISMATCH: 'The record was changed.',
  RECORD_NOT_CANONICAL: 'The record was changed.',
  CHAIN_LINK_BROKEN: 'The record before it was changed or removed.',
  SEQUENCE_GAP: 'Records were removed.',
  SEQUENCE_DUPLICATE: 'A record was added.',
  HEAD_MISMATCH: 'The newest records were removed.',
  CHECKPOINT_ROOT_MISMATCH: 'The records are not those that were signed.',
  CHECKPOINT_SIGNATURE_INVALID: 'The signature is forged or damaged.',
  COLUMN_MISMATCH: 'Lists show it wrongly, or not at all.',
  INDEX_MISMATCH: 'Searches miss it.',
  COUNT_MISMATCH: 'Counts are wrong.',
  TILE_MISMATCH: 'Proofs from it fail.',
  STRAY_ROW: 'The store has a row that does not belong to the chain.',
};

function unsignedText({ unsigned_tail, verdict }: VerifyReport): string {
  if (verdict === 'broken' || verdict === 'not_verifiable') return '';
  if (unsigned_tail === 0) return 'A signed checkpoint covers all of them.';
  return `The newest ${unsigned_tail.toLocaleString()} are not signed yet.`;
}
