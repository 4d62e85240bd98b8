import type { DeadLetter } from '@tallystick/protocol';
import { useEffect, useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Drawer, Fact } from '../elements/dialogs/drawer.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useAction } from '../elements/requests/action.ts';
import { useResource } from '../elements/requests/resource.ts';
import { Badge } from '../elements/signs/badge.tsx';
import { Copyable } from '../elements/signs/copyable.tsx';
import { Ago, Time } from '../elements/signs/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { stateTexts } from './dead-letter-states.ts';
import { EraseDialog } from './erase-dialog.tsx';
import { payloadOf } from './payload.ts';
import { outcomeOf } from './resubmission.ts';
import '../record/record.css';

/** One refused event: why, what was received, and what to do with it. `onSettled` is called when the list has changed. */
export function DeadLetterDrawer({
  letterId,
  onSettled,
}: {
  readonly letterId: string;
  readonly onSettled: () => void;
}) {
  const { client } = useConsole();
  const place = usePlace();
  const { value, error, reload } = useResource(
    (signal) => client.deadLetters.get(letterId, { signal }),
    [client, letterId],
  );
  return (
    <Drawer name="Dead letter" close={place.hrefWith({ letter: undefined })}>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <LoadingRows label="Loading the dead letter" />}
      {value !== undefined && (
        <Letter
          letter={value}
          onSettled={() => {
            reload();
            onSettled();
          }}
        />
      )}
    </Drawer>
  );
}

function Letter({ letter, onSettled }: { readonly letter: DeadLetter; readonly onSettled: () => void }) {
  const { id, reason, message, pointer, state, settled_at, settled_by } = letter;
  return (
    <div class="record">
      <header class="record-heading">
        <h2>{reason}</h2>
        <p class="soft">
          {pointer !== '' && <code>{pointer}</code>} {message}
        </p>
        <p class="badges">
          <Badge tone={state === 'open' ? 'warn' : 'quiet'}>{stateTexts[state]}</Badge>
        </p>
      </header>
      <Actions letter={letter} onSettled={onSettled} />
      <dl class="facts">
        <Fact title="Source">{letter.source}</Fact>
        {letter.principal !== null && (
          <Fact title="Submitted by">
            <code>{letter.principal}</code>
          </Fact>
        )}
        <Fact title="Tenant">{letter.tenant_id ?? <span class="faint">not known</span>}</Fact>
        {letter.audit_id !== null && (
          <Fact title="Event id">
            <Copyable text={letter.audit_id} label="the event id" />
          </Fact>
        )}
        {letter.producer_id !== null && (
          <Fact title="Producer">
            <code>{letter.producer_id}</code> <span class="faint">number {letter.producer_seq ?? '—'}</span>
          </Fact>
        )}
        <Fact title="First seen">
          <Time value={letter.first_seen_at} precise />
        </Fact>
        <Fact title="Last seen">
          <Time value={letter.last_seen_at} precise />{' '}
          {letter.seen > 1 && <span class="faint">{letter.seen.toLocaleString()} times</span>}
        </Fact>
        {settled_at !== null && (
          <Fact title={state === 'purged' ? 'Erased' : 'Settled'}>
            <Ago value={settled_at} />{' '}
            {settled_by !== null && (
              <span class="faint">
                by <code>{settled_by}</code>
              </span>
            )}
          </Fact>
        )}
        <Fact title="Dead letter">
          <Copyable text={id} label="the id of the dead letter" />
        </Fact>
      </dl>
      <Received letter={letter} />
    </div>
  );
}

function Actions({ letter, onSettled }: { readonly letter: DeadLetter; readonly onSettled: () => void }) {
  const { client, session } = useConsole();
  const action = useAction();
  const place = usePlace();
  const [isErasing, setErasing] = useState(false);
  const [chained, setChained] = useState<string>();
  const [fault, setFault] = useState<{ readonly code: string; readonly message: string }>();
  // The button that had the focus goes with the state that it was for.
  useEffect(() => {
    if (document.activeElement === document.body) document.querySelector<HTMLElement>('.drawer')?.focus();
  }, [letter.state]);
  const retry = () =>
    action.run(async () => {
      const result = await client.deadLetters.retry(letter.id);
      onSettled();
      const { text, auditId } = outcomeOf(result);
      setChained(auditId);
      setFault('error' in result ? result.error : undefined);
      return 'error' in result ? 'It was refused again' : text;
    });
  return (
    <>
      {may(session, 'admin') && letter.state !== 'purged' && (
        <p class="row-actions">
          {letter.state === 'open' && (
            <button type="button" class="button main" onClick={() => void retry()}>
              Submit again
            </button>
          )}
          <button type="button" class="button" onClick={() => setErasing(true)}>
            Erase …
          </button>
        </p>
      )}
      {action.done !== undefined && (
        <Notice tone={fault === undefined ? 'good' : 'warn'} title={action.done}>
          {fault !== undefined && (
            <p>
              <code>{fault.code}</code>: {fault.message}. Correct this at its source, and send the event from
              there.
            </p>
          )}
          {chained !== undefined && (
            <p>
              <a href={place.href('events', { event: chained })}>Show its record</a>
            </p>
          )}
        </Notice>
      )}
      {action.error !== undefined && <Failure error={action.error} />}
      {isErasing && (
        <EraseDialog
          letter={letter}
          onErased={(outcome) => {
            setChained(undefined);
            setFault(undefined);
            void action.run(async () => outcome);
            onSettled();
          }}
          onClose={() => setErasing(false)}
        />
      )}
    </>
  );
}

function Received({ letter: { raw_base64, bytes, state } }: { readonly letter: DeadLetter }) {
  return (
    <section class="record-section raw">
      <h3>What was received</h3>
      {state === 'purged' ? (
        <p class="faint">The bytes were erased. The record of the erasure has their hash.</p>
      ) : raw_base64 === undefined ? (
        <p class="faint">
          {bytes.toLocaleString()} bytes. A refused event can contain anything, so only a key with the scope
          admin may see them.
        </p>
      ) : (
        <ReceivedBytes base64={raw_base64} />
      )}
    </section>
  );
}

/** A dead letter can have megabytes, which no page should draw. */
const shownCharacters = 20_000;

function ReceivedBytes({ base64 }: { readonly base64: string }) {
  const { kind, text } = payloadOf(base64);
  return (
    <>
      {kind === 'bytes' && <p class="faint">The bytes are not text.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{text.slice(0, shownCharacters)}</pre>
      {text.length > shownCharacters && (
        <p class="faint">
          Only its beginning is shown. <code>tally dlq show</code> writes all of it.
        </p>
      )}
    </>
  );
}
