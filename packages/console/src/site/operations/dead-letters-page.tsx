import { type DeadLetterInfo, deadLetterStates } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/empty.tsx';
import { Failure } from '../elements/failure.tsx';
import { Notice } from '../elements/notice.tsx';
import { PagedTable } from '../elements/paged-table.tsx';
import { Ago } from '../elements/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';

/** Events that the service refused and keeps, with the reason. */
export function DeadLettersPage() {
  return <ForTenant page={(tenant) => <DeadLettersOf tenant={tenant} />} />;
}

function DeadLettersOf({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const place = usePlace();
  const [round, setRound] = useState(0);
  const [outcome, setOutcome] = useState<string>();
  const [error, setError] = useState<unknown>();
  const state = deadLetterStates.find((each) => each === place.parameters.get('state')) ?? 'open';
  const mayRetry = may(session, 'admin') && state === 'open';
  const retry = async (letter: DeadLetterInfo) => {
    try {
      const result = await client.deadLetters.retry(letter.id);
      setError(undefined);
      setOutcome(
        result.status === 'rejected'
          ? 'The event was refused again. Correct what the reason names, and send it from its source.'
          : 'The event is in the chain.',
      );
      setRound(round + 1);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <div class="stack">
      <label class="field state-choice">
        State
        <select
          class="input"
          value={state}
          onChange={(event) => place.change({ state: event.currentTarget.value })}
        >
          {deadLetterStates.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      {outcome !== undefined && <Notice title={outcome} />}
      {error !== undefined && <Failure error={error} />}
      <section class="panel" aria-label="Dead letters">
        <PagedTable<DeadLetterInfo>
          read={async (cursor, signal) => {
            const query = { tenant_id: tenant, state, limit: 100, cursor };
            const { dead_letters, next_cursor } = await client.deadLetters.list(query, { signal });
            return { items: dead_letters, cursor: next_cursor };
          }}
          dependencies={[client, tenant, state, round]}
          columns={[
            'Reason',
            'What is wrong',
            'Source',
            'Times',
            'Last seen',
            ...(mayRetry ? ['Action'] : []),
          ]}
          numbers={[3]}
          keyOf={({ id }) => id}
          row={(letter) => (
            <>
              <td>
                <code>{letter.reason}</code>
              </td>
              <td class="long">
                {letter.message} {letter.pointer !== '' && <code class="faint">{letter.pointer}</code>}
              </td>
              <td class="long">{letter.source}</td>
              <td class="number">{letter.seen.toLocaleString()}</td>
              <td>
                <Ago value={letter.last_seen_at} />
              </td>
              {mayRetry && (
                <td>
                  <button type="button" class="button" onClick={() => void retry(letter)}>
                    Submit again
                  </button>
                </td>
              )}
            </>
          )}
          empty={
            <Empty
              icon="inbox"
              title={state === 'open' ? 'No event was refused' : 'No refused event is in this state'}
            >
              <p>
                The service keeps the bytes of every event that it refuses, and says why. They would be listed
                here.
              </p>
            </Empty>
          }
        />
      </section>
    </div>
  );
}
