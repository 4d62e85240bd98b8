import { Failure } from '../elements/failure.tsx';
import { Notice } from '../elements/notice.tsx';
import type { PageCheck } from './page-check.ts';

/** What the check of the shown events came to, and what it leaves open. */
export function PageCheckBar({ check }: { readonly check: PageCheck }) {
  const progress = check.progress.value;
  const states = [...check.states.value.values()];
  if (check.error.value !== undefined) return <Failure error={check.error.value} />;
  if (progress !== undefined) {
    return (
      <Notice
        title={`Your browser checks record ${Math.min(progress.done + 1, progress.of)} of ${progress.of} …`}
      />
    );
  }
  if (states.length === 0) return null;
  const count = (state: string) => states.filter((each) => each === state).length;
  const [verified, broken, unproven] = [count('verified'), count('broken'), count('unproven')];
  const parts = [
    `${verified} verified here`,
    broken > 0 ? `${broken} not intact` : '',
    unproven > 0 ? `${unproven} not proven yet: not signed, or the list has moved on` : '',
  ].filter((part) => part !== '');
  return (
    <Notice
      tone={broken > 0 ? 'bad' : unproven > 0 ? 'warn' : 'good'}
      title={
        broken > 0
          ? 'Records of this page are not intact'
          : `Checked by your browser: ${states.length} events`
      }
    >
      <p>
        {parts.join(', ')}. Each was checked by its own receipt with the key that is pinned in this browser.
        This does not check whether the list is complete: <code>tally verify</code> does.
      </p>
    </Notice>
  );
}
