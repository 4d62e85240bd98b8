import { fieldValue } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';
import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { filled } from '../words/words.ts';
import { reasonOf, useSettings } from './settings.ts';
import { Skeleton } from './skeleton.tsx';
import { Time } from './time.tsx';

const pageSize = 25;

interface Listed {
  readonly q: string;
  readonly events: readonly EventView[];
  readonly cursor: string | undefined;
  readonly isCut: boolean;
}

/** The events that the token shows, the newest first, with a search. */
export function EventTable({
  tenant,
  openId,
  panel,
  onOpen,
  onError,
}: {
  readonly tenant: string;
  readonly openId: string | undefined;
  /** Shown below the row of the open event. */
  readonly panel: ComponentChildren;
  readonly onOpen: (event: EventView, button: HTMLElement) => void;
  readonly onError: (error: unknown) => void;
}) {
  const { client, words } = useSettings();
  const [q, setQuery] = useState('');
  const [round, setRound] = useState(0);
  const [listed, setListed] = useState<Listed>();
  const [isLoading, setLoading] = useState(true);
  const [complaint, setComplaint] = useState<string>();
  const read = async (before: Listed | undefined, signal: AbortSignal) => {
    setLoading(true);
    try {
      const page = await client.events.list(
        { tenant_id: tenant, limit: pageSize, cursor: before?.cursor, ...(q !== '' && { q }) },
        { signal },
      );
      const events = [...(before?.events ?? []), ...page.events];
      setListed({ q, events, cursor: page.next_cursor, isCut: page.complete === false });
      setComplaint(undefined);
    } catch (error) {
      if (signal.aborted) return;
      // A search that can't be read is the reader's to correct; everything else concerns the whole viewer.
      if ((error as { status?: number }).status === 400 && q !== '') setComplaint(reasonOf(error, words));
      else onError(error);
    }
    if (!signal.aborted) setLoading(false);
  };
  useEffect(() => {
    const controller = new AbortController();
    void read(undefined, controller.signal);
    return () => controller.abort();
  }, [client, tenant, q, round]);
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get('q');
    setQuery(String(text).trim());
  };
  const shown = listed?.q === q ? listed : undefined;
  return (
    <div class="list">
      <search>
        <form onSubmit={search}>
          <label>
            <span>{words.search}</span>
            <input
              type="search"
              name="q"
              placeholder={words.searchHint}
              autocomplete="off"
              spellcheck={false}
              maxLength={500}
              aria-invalid={complaint !== undefined}
            />
          </label>
          <button type="submit">{words.search}</button>
          <button type="button" class="plain" onClick={() => setRound((count) => count + 1)}>
            {words.refresh}
          </button>
        </form>
      </search>
      <p class="complaint" role="alert">
        {complaint}
      </p>
      {shown !== undefined && shown.events.length > 0 && (
        <table part="table">
          <thead>
            <tr>
              {[words.time, words.event, words.actor, words.target, words.outcome].map((title) => (
                <th scope="col" key={title}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.events.map((event) => (
              <Fragment key={String(event.audit_id)}>
                <tr
                  data-open={event.audit_id === openId}
                  onClick={({ target, currentTarget }) => {
                    const button = currentTarget.querySelector<HTMLElement>('button.open')!;
                    if (!button.contains(target as Node)) onOpen(event, button);
                  }}
                >
                  <td>
                    <Time value={event.timestamp ?? event.ingested_at} short />
                  </td>
                  <td>
                    <button
                      type="button"
                      class="open"
                      aria-expanded={event.audit_id === openId}
                      onClick={(click) => onOpen(event, click.currentTarget)}
                    >
                      {textOf(event, 'event_type') || words.broken}
                    </button>
                  </td>
                  <td>
                    <span class="clamped">{textOf(event, 'actor_id')}</span>
                  </td>
                  <td>
                    <span class="clamped">{textOf(event, 'target_id')}</span>
                  </td>
                  <td>
                    <Outcome status={textOf(event, 'outcome_status')} />
                  </td>
                </tr>
                {event.audit_id === openId && (
                  <tr class="opened">
                    <td colSpan={5}>{panel}</td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
      {isLoading && shown === undefined && <Skeleton />}
      <div class="list-end" role="status">
        {isLoading && shown !== undefined && words.loading}
        {!isLoading &&
          shown?.events.length === 0 &&
          !shown.isCut &&
          (q === '' ? words.none : words.noneFound)}
        {shown?.isCut === true && <p>{filled(words.cut, {})}</p>}
      </div>
      {!isLoading && shown?.cursor !== undefined && (
        <button type="button" onClick={() => void read(shown, new AbortController().signal)}>
          {words.older}
        </button>
      )}
    </div>
  );
}

const badOutcomes = new Set(['failure', 'denied', 'blocked']);

/** The colour repeats what the word says. A forged event may have any word: it has no colour. */
function Outcome({ status }: { readonly status: string }) {
  const { words } = useSettings();
  if (status === '') return null;
  const tone = status === 'success' ? 'good' : badOutcomes.has(status) ? 'bad' : 'soft';
  return (
    <span class={`outcome ${tone}`}>
      {Object.hasOwn(words.outcomes, status) ? words.outcomes[status] : status.replaceAll('_', ' ')}
    </span>
  );
}

/** A member of an event as text. A forged event may hold anything there. */
function textOf(event: EventView, name: string): string {
  const value = name === 'outcome_status' ? fieldValue(event, name) : event[name];
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
