import { usePlace } from '../../address/place.ts';
import { Failure } from '../../elements/notices/failure.tsx';
import { Notice } from '../../elements/notices/notice.tsx';
import { ExpectedFound } from '../../proof/expected-found.tsx';
import { textOf } from '../../trail/event-text.ts';
import type { PageCheck, PageVerdict, RecordState } from './page-check.ts';

/** Faults of records that are shown in full. The rows of the others are marked. */
const faultsShown = 5;

/** What the check of the shown events came to, and what it leaves open. */
export function PageCheckBar({ check }: { readonly check: PageCheck }) {
  const verdict = check.verdict.value;
  if (check.error.value !== undefined) return <Failure error={check.error.value} />;
  if (check.isRunning.value) return <Notice title="Your browser checks the events of this page …" />;
  if (verdict === undefined || verdict.states.size === 0) return null;
  const { tone, title } = headingOf(verdict);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section class="page-check" aria-label="Check of this page" tabIndex={0}>
      <Notice tone={tone} title={title}>
        <p>{countsOf(verdict)}.</p>
        <Faults verdict={verdict} />
        <p>
          Not checked: whether the list is complete. <code>tally verify</code> finds records that were left
          out.
        </p>
        <details>
          <summary>What was checked</summary>
          <p>{whatWasChecked(verdict)}</p>
        </details>
      </Notice>
    </section>
  );
}

function headingOf(verdict: PageVerdict): { readonly tone: 'good' | 'warn' | 'bad'; readonly title: string } {
  const { states, pageFaults, recordFaults } = verdict;
  const gone = countOf(verdict, 'gone');
  if (gone > 0 && gone === recordFaults.length)
    return { tone: 'bad', title: 'Records of this page were removed' };
  if (recordFaults.length > 0) return { tone: 'bad', title: 'Records of this page are not intact' };
  if (pageFaults.length > 0) return { tone: 'bad', title: 'The evidence of this page does not hold' };
  const isProven = [...states.values()].every((state) => state === 'verified' || state === 'hidden');
  const tone = isProven && verdict.history !== 'no_proof' ? 'good' : 'warn';
  return { tone, title: `Checked by your browser: ${states.size} ${states.size === 1 ? 'event' : 'events'}` };
}

function countOf({ states }: PageVerdict, wanted: RecordState): number {
  return [...states.values()].filter((state) => state === wanted).length;
}

function countsOf(verdict: PageVerdict): string {
  const said: readonly (readonly [RecordState, string])[] = [
    ['verified', 'verified here'],
    ['hidden', 'with a proven hash, whose content your key may not see'],
    ['broken', 'not intact'],
    ['gone', 'gone: the list showed them, and the service does not find them any more'],
    ['unsigned', 'not signed yet: the next checkpoint covers them, so verify again in a minute'],
    ['other_epoch', 'of another epoch of the log: open a record to check it'],
    ['unproven', 'not proven, because no proof holds for them: do not rely on what they say'],
  ];
  const parts = said.flatMap(([state, words]) => {
    const count = countOf(verdict, state);
    return count === 0 && state !== 'verified' ? [] : [`${count.toLocaleString()} ${words}`];
  });
  return parts.join('; ');
}

function whatWasChecked({ size, history }: PageVerdict): string {
  if (size === undefined)
    return 'The log has no signed checkpoint yet, so there is nothing to check against.';
  const tree = `Checked: the bytes of each record, what the list shows of it, and with one proof its place in the signed tree of ${size.toLocaleString()} records, with the key that is pinned in this browser.`;
  return `${tree} ${historyTexts[history]}`;
}

const historyTexts: { readonly [history in PageVerdict['history']]: string } = {
  one_log: 'The log only grew since this browser last verified it.',
  first_visit: 'This browser had verified no checkpoint of this log before.',
  other_log: 'Not checked: the checkpoint that this browser remembers is of another epoch of the log.',
  no_proof: 'Not checked: the service gave no proof that the log only grew since your last visit.',
  contradiction: '',
  proof_invalid: '',
  not_signed: '',
};

function Faults({ verdict: { pageFaults, recordFaults } }: { readonly verdict: PageVerdict }) {
  const place = usePlace();
  if (pageFaults.length + recordFaults.length === 0) return null;
  return (
    <ul class="page-faults" aria-label="What is wrong">
      {recordFaults.slice(0, faultsShown).map(({ event, text, expected, found }) => (
        <li key={String(event.audit_id)}>
          <a href={place.hrefWith({ event: String(event.audit_id) })}>
            Record {String(event.sequence_number)} · {textOf(event, 'event_type') ?? 'not readable'}
          </a>
          <p>{text}</p>
          <ExpectedFound expected={expected} found={found} />
        </li>
      ))}
      {pageFaults.map(({ text, expected, found }) => (
        <li key={text}>
          <strong>The whole page</strong>
          <p>{text}</p>
          <ExpectedFound expected={expected} found={found} />
        </li>
      ))}
      {recordFaults.length > faultsShown && (
        <li>{recordFaults.length - faultsShown} more are marked in the list.</li>
      )}
    </ul>
  );
}
