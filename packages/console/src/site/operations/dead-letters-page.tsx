import { type DeadLetterInfo, deadLetterStates } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { DeadLetterDrawer } from './dead-letter-drawer.tsx';
import { stateTexts } from './dead-letter-states.ts';
import { ResubmitDialog } from './resubmit-dialog.tsx';
import './operations.css';

/** Events that the service refused and keeps, with the reason. */
export function DeadLettersPage() {
  return <ForTenant page={(tenant) => <DeadLettersOf tenant={tenant} />} />;
}

function DeadLettersOf({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const place = usePlace();
  const [round, setRound] = useState(0);
  const [isResubmitting, setResubmitting] = useState(false);
  const { parameters } = place;
  const state = deadLetterStates.find((each) => each === parameters.get('state')) ?? 'open';
  // An event whose tenant can't be read belongs to none: only a reader of every tenant may see it.
  const mayAll = session.tenants === undefined;
  const all = mayAll && parameters.get('all') === '1';
  const openId = parameters.get('letter');
  return (
    <div class="with-drawer">
      <div class="stack">
        <div class="choices-bar">
          <label class="field state-choice">
            State
            <select
              class="input"
              value={state}
              onChange={(event) => place.change({ state: event.currentTarget.value, letter: undefined })}
            >
              {deadLetterStates.map((each) => (
                <option key={each} value={each}>
                  {stateTexts[each]}
                </option>
              ))}
            </select>
          </label>
          {mayAll && (
            <label class="check">
              <input
                type="checkbox"
                checked={all}
                onChange={(event) => place.change({ all: event.currentTarget.checked ? '1' : undefined })}
              />
              Of every tenant, also where the tenant is not known
            </label>
          )}
          {may(session, 'admin') && state === 'open' && (
            <button type="button" class="button" onClick={() => setResubmitting(true)}>
              Submit many again …
            </button>
          )}
        </div>
        <section class="panel" aria-label="Dead letters">
          <PagedTable<DeadLetterInfo>
            read={async (cursor, signal) => {
              const query = { ...(!all && { tenant_id: tenant }), state, limit: 100, cursor };
              const { dead_letters, next_cursor } = await client.deadLetters.list(query, { signal });
              return { items: dead_letters, cursor: next_cursor };
            }}
            dependencies={[client, tenant, all, state, round]}
            columns={['Reason', 'What is wrong', ...(all ? ['Tenant'] : []), 'Source', 'Times', 'Last seen']}
            numbers={[all ? 4 : 3]}
            keyOf={({ id }) => id}
            row={(letter) => <LetterRow letter={letter} withTenant={all} />}
            empty={
              <Empty
                icon="inbox"
                title={
                  state === 'open' ? 'No event was refused' : `No refused event was ${stateTexts[state]}`
                }
              >
                <p>The service keeps the bytes of every event that it refuses, and lists them here.</p>
                {state !== 'open' && (
                  <p>
                    <a class="button" href={place.hrefWith({ state: undefined })}>
                      Show events that wait for a decision
                    </a>
                  </p>
                )}
              </Empty>
            }
          />
        </section>
      </div>
      {isResubmitting && (
        <ResubmitDialog
          tenant={all ? undefined : tenant}
          onClose={(hasChanged) => {
            setResubmitting(false);
            if (hasChanged) setRound(round + 1);
          }}
        />
      )}
      {openId !== null && (
        <DeadLetterDrawer key={openId} letterId={openId} onSettled={() => setRound(round + 1)} />
      )}
    </div>
  );
}

function LetterRow({
  letter: { id, reason, message, pointer, tenant_id, source, seen, last_seen_at },
  withTenant,
}: {
  readonly letter: DeadLetterInfo;
  readonly withTenant: boolean;
}) {
  const place = usePlace();
  return (
    <>
      <td>
        <a
          href={place.hrefWith({ letter: id })}
          aria-current={place.parameters.get('letter') === id ? 'true' : undefined}
        >
          <code>{reason}</code>
        </a>
      </td>
      <td class="long wide">
        {pointer !== '' && <code>{pointer}</code>} {message}
      </td>
      {withTenant && <td>{tenant_id ?? <span class="faint">not known</span>}</td>}
      <td class="long">{source}</td>
      <td class="number">{seen.toLocaleString()}</td>
      <td>
        <Ago value={last_seen_at} />
      </td>
    </>
  );
}
