import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { useReturnedFocus } from '../elements/dialogs/returned-focus.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Badge, type Tone } from '../elements/signs/badge.tsx';
import { useConsole } from '../session/console-context.ts';
import { mostResubmitted, openReasons, type Resubmitted, resubmit, selectedLetters } from './resubmission.ts';
import '../elements/dialogs/dialog.css';

/** What one press of the button submits: how far it has come, and what became of each event. */
interface Run {
  readonly state: 'running' | 'stopped' | 'done';
  /** How many are submitted in all; undefined while they are looked up. */
  readonly of: number | undefined;
  readonly results: readonly Resubmitted[];
  readonly error?: unknown;
}

/** Submits all refused events of one reason again: asks once, then shows how far it is and what came of each. */
export function ResubmitDialog({
  tenant,
  onClose,
}: {
  /** Absent: of every tenant. */
  readonly tenant: string | undefined;
  /** Called with whether something was submitted. */
  readonly onClose: (hasChanged: boolean) => void;
}) {
  const { client } = useConsole();
  const dialog = useRef<HTMLDialogElement>(null);
  const leave = useRef<HTMLButtonElement>(null);
  const isWanted = useRef(true);
  const titleId = useId();
  const [chosen, setChosen] = useState<string>();
  const [run, setRun] = useState<Run>();
  const reasons = useResource((signal) => openReasons(client, tenant, signal), [client, tenant]);
  useReturnedFocus(dialog, (element) => element.showModal());
  // Leaving the page ends the run, too.
  useEffect(
    () => () => {
      isWanted.current = false;
    },
    [],
  );
  // The button that had the focus goes when the run begins.
  useEffect(() => {
    if (run !== undefined) leave.current?.focus();
  }, [run === undefined]);
  const [reason, count] = reasons.value?.find(([each]) => each === chosen) ?? reasons.value?.[0] ?? [];
  const isRunning = run?.state === 'running';
  const close = () => onClose((run?.results.length ?? 0) > 0);
  const start = async (event: SubmitEvent) => {
    event.preventDefault();
    if (reason === undefined || run !== undefined) return;
    let results: readonly Resubmitted[] = [];
    let of: number | undefined;
    setRun({ state: 'running', of, results });
    try {
      const letters = await selectedLetters(client, { tenant, reason }, new AbortController().signal);
      of = letters.length;
      setRun({ state: 'running', of, results });
      // Not asked before the first one: the reader may have stopped while they were looked up.
      if (isWanted.current)
        for await (const result of resubmit(client, letters)) {
          results = [...results, result];
          setRun({ state: 'running', of, results });
          if (!isWanted.current) break;
        }
      setRun({ state: results.length < of ? 'stopped' : 'done', of, results });
    } catch (error) {
      setRun({ state: 'stopped', of, results, error });
    }
  };
  const leaveOrStop = () => {
    if (isRunning) isWanted.current = false;
    else close();
  };
  return (
    <dialog
      class="dialog"
      ref={dialog}
      aria-labelledby={titleId}
      onClose={close}
      onCancel={(event) => {
        // What is under way is stopped by its button, and then shown.
        if (isRunning) event.preventDefault();
      }}
    >
      <form onSubmit={(event) => void start(event)}>
        <h2 id={titleId}>Submit refused events again</h2>
        {reasons.error !== undefined && <Failure error={reasons.error} retry={reasons.reload} />}
        {reasons.error === undefined && run === undefined && (
          <Choice
            reasons={reasons.value}
            reason={reason}
            ofEveryTenant={tenant === undefined}
            onChoose={setChosen}
          />
        )}
        {run !== undefined && <RunView run={run} reason={reason!} onFollow={close} />}
        <p class="dialog-buttons">
          <button type="button" class="button" ref={leave} onClick={leaveOrStop}>
            {run === undefined ? 'Cancel' : isRunning ? 'Stop' : 'Close'}
          </button>
          {run === undefined && (
            <button type="submit" class="button main" disabled={reason === undefined}>
              {count === undefined
                ? 'Submit again'
                : `Submit ${eventsText(Math.min(count, mostResubmitted))} again`}
            </button>
          )}
        </p>
      </form>
    </dialog>
  );
}

function Choice({
  reasons,
  reason,
  ofEveryTenant,
  onChoose,
}: {
  readonly reasons: readonly (readonly [reason: string, count: number])[] | undefined;
  readonly reason: string | undefined;
  readonly ofEveryTenant: boolean;
  readonly onChoose: (reason: string) => void;
}) {
  if (reasons === undefined) return <p role="status">Counting …</p>;
  if (reasons.length === 0) return <p role="status">No refused event waits for a decision.</p>;
  const count = reasons.find(([each]) => each === reason)?.[1] ?? 0;
  return (
    <>
      <p class="soft">
        Do this when the cause of a refusal is gone: a type was added to the taxonomy, or a chain was
        recovered. Each event is submitted as it was received, in the name of its submitter
        {ofEveryTenant && ', for every tenant'}. The records name your key or login.
      </p>
      <label class="field">
        Refused with
        <select class="input" value={reason} onChange={(event) => onChoose(event.currentTarget.value)}>
          {reasons.map(([each, number]) => (
            <option key={each} value={each}>
              {each} ({eventsText(number)})
            </option>
          ))}
        </select>
      </label>
      {count > mostResubmitted && (
        <p class="soft">The oldest {mostResubmitted} are submitted. Do it again for the others.</p>
      )}
    </>
  );
}

function RunView({
  run: { state, of, results, error },
  reason,
  onFollow,
}: {
  readonly run: Run;
  readonly reason: string;
  readonly onFollow: () => void;
}) {
  const countOf = (outcome: Resubmitted['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  const accepted = countOf('chained') + countOf('noted');
  const others = results.length - accepted;
  return (
    <>
      <p class="soft">
        <progress
          aria-label="Events submitted again"
          max={of ?? 1}
          {...(of !== undefined && { value: results.length })}
        />{' '}
        <span class="number">
          {results.length}
          {of !== undefined && ` of ${of}`}
        </span>{' '}
        refused with <code>{reason}</code>
      </p>
      {error !== undefined && <Failure error={error} />}
      {state !== 'running' && (
        <Notice
          tone={state === 'stopped' || others > 0 ? 'warn' : 'good'}
          title={`${state === 'stopped' ? 'Stopped: ' : ''}${accepted} accepted, ${others} not`}
        >
          {others > 0 && <p>Correct what is refused again at its source, and send it from there.</p>}
        </Notice>
      )}
      {results.length > 0 && <Results results={results} onFollow={onFollow} />}
    </>
  );
}

const outcomes: {
  readonly [outcome in Resubmitted['outcome']]: { readonly tone: Tone; readonly text: string };
} = {
  chained: { tone: 'good', text: 'chained' },
  noted: { tone: 'good', text: 'noted' },
  refused: { tone: 'warn', text: 'refused again' },
  gone: { tone: 'quiet', text: 'not possible' },
};

function Results({
  results,
  onFollow,
}: {
  readonly results: readonly Resubmitted[];
  /** Called when the reader follows a link, which the dialog would cover. */
  readonly onFollow: () => void;
}) {
  const place = usePlace();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <div class="resubmitted" tabIndex={0} role="group" aria-label="Results">
      <ol>
        {results.map(({ letter, outcome, text, auditId }) => (
          <li key={letter.id}>
            <Badge tone={outcomes[outcome].tone}>{outcomes[outcome].text}</Badge>{' '}
            {auditId === undefined ? (
              <a href={place.hrefWith({ letter: letter.id })} onClick={onFollow}>
                {letter.audit_id ?? letter.id}
              </a>
            ) : (
              <a href={place.href('events', { event: auditId })}>{auditId}</a>
            )}
            {outcome !== 'chained' && <p class="soft">{text}</p>}
          </li>
        ))}
      </ol>
    </div>
  );
}

function eventsText(count: number): string {
  return `${count.toLocaleString()} ${count === 1 ? 'event' : 'events'}`;
}
