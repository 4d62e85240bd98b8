import { isAlarm, type LogVisit } from '../trust/log-visit.ts';
import { filled } from '../words/words.ts';
import { saveText, useSettings } from './settings.ts';

/** What the browser found out about the log since the reader's last visit. */
export function LogBanner({
  visit,
  canRemember,
}: {
  readonly visit: LogVisit | undefined;
  readonly canRemember: boolean;
}) {
  const { words, language } = useSettings();
  if (visit === undefined) return <p class="log-state" role="status" />;
  const { state, size, keptSize, report } = visit;
  const number = (value: number | undefined) => value?.toLocaleString(language) ?? '';
  const text = filled(words.log[state], { size: number(size), kept: number(keptSize) });
  if (isAlarm(visit)) {
    return (
      <div class="notice bad" role="alert" data-state={state}>
        <strong>{words.alarm}</strong>
        <p>{text}</p>
        {report !== undefined && (
          <>
            <p>{words.reportUse}</p>
            <button type="button" onClick={() => saveText('tallystick-report.json', report)}>
              {words.report}
            </button>
          </>
        )}
      </div>
    );
  }
  const isGood = state === 'grown' || state === 'first_visit';
  return (
    <p class={`log-state ${isGood ? 'good' : 'warn'}`} role="status" data-state={state}>
      {text} {!canRemember && words.notRemembered}
    </p>
  );
}
