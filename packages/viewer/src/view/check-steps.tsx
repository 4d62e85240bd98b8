import type { RecordCheckResult } from '@tallystick/verify';
import { filled } from '../words/words.ts';
import { useSettings } from './settings.ts';

/** The verdict on a record, and its steps. */
export function CheckSteps({
  isDone,
  result,
}: {
  readonly isDone: boolean;
  /** Absent while the check runs, and where the token does not get the bytes. */
  readonly result: RecordCheckResult | undefined;
}) {
  const { words } = useSettings();
  if (!isDone)
    return (
      <p class="verdict" role="status">
        {words.checking}
      </p>
    );
  if (result === undefined)
    return (
      <div class="verdict warn" role="status">
        <strong>{words.contentNotChecked}</strong>
        <p>{words.contentNotCheckedWhy}</p>
      </div>
    );
  const isBroken = result.checks.some(({ state }) => state === 'failed');
  const isSigned = result.checks.some(({ code }) => code === 'SIGNATURE_MATCHES');
  const [tone, text] = isBroken
    ? ['bad', words.broken]
    : isSigned
      ? ['good', words.intact]
      : ['warn', words.unproven];
  return (
    <div class={`verdict ${tone}`} role={isBroken ? 'alert' : 'status'}>
      <strong>{text}</strong>
      <details open={isBroken}>
        <summary>{words.whatWasChecked}</summary>
        <ul>
          {result.checks.map(({ step, state, code, facts = {}, expected, found }) => (
            <li key={step} data-state={state}>
              <b>{words.steps[step]}:</b> {filled(words.checks[code], facts)}
              {expected !== undefined && found !== undefined && (
                <dl>
                  <dt>{words.expected}</dt>
                  <dd>
                    <code>{expected}</code>
                  </dd>
                  <dt>{words.found}</dt>
                  <dd>
                    <code>{found}</code>
                  </dd>
                </dl>
              )}
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}
