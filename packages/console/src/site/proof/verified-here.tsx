import type { EventView } from '@tallystick/protocol';
import { useMemo } from 'preact/hooks';
import { Failure } from '../elements/notices/failure.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Icon, type IconName } from '../elements/signs/icon.tsx';
import { useConsole } from '../session/console-context.ts';
import type { Check, RecordCheck, Step } from './check-record.ts';
import { checkInWorker } from './checker.ts';
import { ExpectedFound } from './expected-found.tsx';
import { gatherEvidence } from './gather-evidence.ts';
import { PinKey } from './pin-key.tsx';
import { type KnownLog, PinnedKeys } from './pinned-keys.ts';
import './proof.css';

const titles: { readonly [step in Step]: string } = {
  content: 'Content',
  hash: 'Hash',
  link: 'Chain link',
  inclusion: 'Inclusion in the tree',
  signature: 'Signed checkpoint',
  history: 'Same log as before',
};

const icons: { readonly [state in Check['state']]: IconName } = {
  checked: 'check',
  failed: 'close',
  not_checked: 'minus',
};

/** The check of a record by the reader's own browser. `event` has the text that was hashed in `record`. */
export function VerifiedHere({ event }: { readonly event: EventView }) {
  const { client } = useConsole();
  const keys = useMemo(() => new PinnedKeys(localStorage), []);
  const { value, error, reload } = useResource(
    async (signal) => {
      const { evidence, known } = await gatherEvidence(client, keys, event, signal);
      const check = await checkInWorker(evidence);
      if (check.checkpoint !== undefined) keys.keep(check.checkpoint);
      return { check, known, of: event };
    },
    [client, event],
  );
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  const pin = (key: string) => {
    keys.pin(key, 'hand');
    reload();
  };
  // The result of another record must never stand beside this one.
  const result = value?.of === event ? value : undefined;
  return <CheckReport check={result?.check} known={result?.known} onPin={pin} />;
}

/** The verdict and its steps. Without a result: the check is running. */
function CheckReport({
  check,
  known,
  onPin,
}: {
  readonly check: RecordCheck | undefined;
  readonly known: KnownLog | undefined;
  readonly onPin: (key: string) => void;
}) {
  const verdict = verdictOf(check);
  return (
    <section class={`verified-here ${verdict.tone}`} aria-label="Verified here">
      <div class="verdict" role="status">
        <Icon name={verdict.icon} />
        <div>
          <h3>{verdict.title}</h3>
          <p class="soft">{verdict.text}</p>
        </div>
      </div>
      {/* Its place, so that nothing below moves when the result comes. */}
      {check === undefined && <p class="checks-place">What is checked</p>}
      {check !== undefined && (
        <details open={verdict.tone === 'bad'}>
          <summary>What was checked</summary>
          <ul class="checks">
            {check.checks.map((each) => (
              <CheckLine key={each.step} check={each} />
            ))}
          </ul>
          {known !== undefined && <PinKey known={known} onPin={onPin} />}
        </details>
      )}
    </section>
  );
}

function CheckLine({ check: { step, state, text, expected, found } }: { readonly check: Check }) {
  return (
    <li data-state={state}>
      <Icon name={icons[state]} />
      <div>
        <strong>{titles[step]}</strong>
        {state === 'not_checked' && <span class="faint"> · not checked</span>}
        <p>{text}</p>
        <ExpectedFound expected={expected} found={found} />
      </div>
    </li>
  );
}

function verdictOf(check: RecordCheck | undefined): {
  readonly tone: 'good' | 'warn' | 'bad' | 'quiet';
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
} {
  if (check === undefined)
    return {
      tone: 'quiet',
      icon: 'shield',
      title: 'Checking in your browser …',
      text: 'Content, hash, chain link, place in the signed tree, signature.',
    };
  const failed = check.checks.filter(({ state }) => state === 'failed');
  if (failed.length > 0) {
    // A fork fits itself: the record is what the forked log says, and not what this browser verified before.
    const isOnlyFork = failed.every(({ step }) => step === 'history');
    const title = isOnlyFork ? 'This is not the log that you verified before' : 'This record is not intact';
    return { tone: 'bad', icon: 'alert', title, text: failed[0]!.text };
  }
  const isSigned = check.checks.some(({ step, state }) => step === 'signature' && state === 'checked');
  if (!isSigned)
    return {
      tone: 'warn',
      icon: 'shield',
      title: 'Not proven yet',
      text: check.checks.find(({ step }) => step === 'inclusion')!.text,
    };
  return {
    tone: 'good',
    icon: 'shield-check',
    title: 'Verified here, by your browser',
    text: `Unchanged since it was signed, in a tree of ${check.size?.toLocaleString()} records.`,
  };
}
