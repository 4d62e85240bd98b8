import { type OpenIntent, type OpenIntentState, openIntentStates } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { Badge, type Tone } from '../elements/signs/badge.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { RecordDrawer } from '../record/record-drawer.tsx';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';

const states: { readonly [state in OpenIntentState]: { readonly tone: Tone; readonly text: string } } = {
  open: { tone: 'quiet', text: 'under way' },
  early: { tone: 'quiet', text: 'intent on its way' },
  unresolved: { tone: 'bad', text: 'end missing' },
  unexplained: { tone: 'bad', text: 'intent missing' },
};

/** The list is behind the chain when its newest record is older, seconds. */
const behindAfter = 60;

/** Actions of agents of which the trail has only the intent or only the end. */
export function IntentsPage() {
  return <ForTenant page={(tenant) => <IntentsOf key={tenant} tenant={tenant} />} />;
}

function IntentsOf({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const [behind, setBehind] = useState(0);
  const state = openIntentStates.find((each) => each === place.parameters.get('state'));
  const openId = place.parameters.get('event');
  return (
    <div class="with-drawer">
      <div class="stack">
        <p class="soft">
          An agent declares an action before it acts, and records how it ended. This page lists actions with
          only one of the two: the end may still come, or it is missing.
        </p>
        <label class="field state-choice">
          State
          <select
            class="input"
            value={state ?? ''}
            onChange={(event) => place.change({ state: event.currentTarget.value, event: undefined })}
          >
            <option value="">all</option>
            {openIntentStates.map((each) => (
              <option key={each} value={each}>
                {states[each].text}
              </option>
            ))}
          </select>
        </label>
        {behind > behindAfter && (
          <Notice tone="warn" title={`This list is ${behind.toLocaleString()} seconds behind the chain`}>
            <p>
              The follower open-intents has not read the newest records yet. The page Followers shows its
              state.
            </p>
          </Notice>
        )}
        <section class="panel" aria-label="Open actions">
          <PagedTable<OpenIntent>
            read={async (cursor, signal) => {
              const query = { tenant_id: tenant, state, limit: 100, cursor };
              const page = await client.openIntents.list(query, { signal });
              setBehind(page.behind_seconds);
              return { items: page.open_intents, cursor: page.next_cursor };
            }}
            dependencies={[client, tenant, state]}
            columns={['Action', 'Agent', 'Target', 'State', 'Deadline', 'Recorded']}
            keyOf={({ intent_id, audit_id }) => `${intent_id} ${audit_id}`}
            row={(intent) => <IntentRow intent={intent} />}
            empty={
              <Empty
                icon="check"
                title={state === undefined ? 'No action is open' : 'No action is in this state'}
              >
                {state === undefined ? (
                  <p>
                    Every action that an agent declared has an end in the trail, and every end has its intent.
                  </p>
                ) : (
                  <p>
                    <a class="button" href={place.hrefWith({ state: undefined })}>
                      Show all open actions
                    </a>
                  </p>
                )}
              </Empty>
            }
          />
        </section>
      </div>
      {openId !== null && <RecordDrawer tenant={tenant} auditId={openId} />}
    </div>
  );
}

function IntentRow({ intent }: { readonly intent: OpenIntent }) {
  const place = usePlace();
  const { audit_id, action, actor_id, actor_type, target_type, target_id, state, deadline, waiting } = intent;
  const { tone, text } = states[state];
  return (
    <>
      <td>
        <a
          href={place.hrefWith({ event: audit_id })}
          aria-current={place.parameters.get('event') === audit_id ? 'true' : undefined}
        >
          {action ?? 'an action without a name'}
        </a>
      </td>
      <td>
        <span class="faint">{actor_type}</span> {actor_id}
      </td>
      <td class="long">
        {[target_type, target_id].filter((part) => part !== null).join(' ') || (
          <span class="faint">none</span>
        )}
      </td>
      <td>
        {waiting ? (
          <a href={place.href('approvals')}>
            <Badge tone="warn">waits for people</Badge>
          </a>
        ) : (
          <Badge tone={tone}>{text}</Badge>
        )}
      </td>
      <td>{deadline === null ? <span class="faint">none</span> : <Ago value={deadline} />}</td>
      <td>
        <Ago value={intent.ingested_at} />
      </td>
    </>
  );
}
