import { duration, type FollowerChange, type FollowerInfo, type StoppedFollower } from '@tallystick/protocol';
import { ConfirmButton } from '../elements/dialogs/confirm-button.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { type Action, useAction } from '../elements/requests/action.ts';
import { useResource } from '../elements/requests/resource.ts';
import { Badge, type Tone } from '../elements/signs/badge.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { TableFrame } from '../elements/tables/table-frame.tsx';
import { useConsole } from '../session/console-context.ts';

/** What the known followers keep, in words. */
const purposes: { readonly [name: string]: string } = {
  'field-index': 'finds events by their fields',
  'search-index': 'finds events by their texts',
  'hourly-counts': 'counts events',
  'open-intents': 'lists open actions of agents',
};

const tones: { readonly [state in FollowerInfo['state']]: Tone } = {
  running: 'good',
  paused: 'warn',
  rebuilding: 'quiet',
};

const columns = ['Follower', 'State', 'Records behind', 'Oldest unread', 'Stopped tenants', 'Action'];

/** What is derived from the chains, and how far it is. For operators. */
export function FollowersPage() {
  const { client } = useConsole();
  const action = useAction();
  const { value, error, reload } = useResource(
    async (signal) => (await client.followers.list({ signal })).followers,
    [client, action.round],
  );
  return (
    <div class="stack">
      <p class="soft">
        Followers read every chain and keep what lists, counts and searches need. A follower that is behind or
        stopped loses nothing: the records stay in the chains, and it continues where it was.
      </p>
      {action.done !== undefined && <Notice title={action.done} />}
      {action.error !== undefined && <Failure error={action.error} />}
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && (
        <section class="panel">
          <LoadingRows label="Loading the followers" />
        </section>
      )}
      {value !== undefined && <FollowerTable followers={value} action={action} onReload={reload} />}
      {value?.flatMap(({ name, stopped }) =>
        stopped.map((each) => (
          <Stopped key={`${name} ${each.tenant_id}`} follower={name} stopped={each} action={action} />
        )),
      )}
    </div>
  );
}

function FollowerTable({
  followers,
  action,
  onReload,
}: {
  readonly followers: readonly FollowerInfo[];
  readonly action: Action;
  readonly onReload: () => void;
}) {
  return (
    <section class="panel" aria-label="Followers">
      <header>
        <h2>{followers.length} followers</h2>
        <button type="button" class="button" onClick={onReload}>
          Refresh
        </button>
      </header>
      <TableFrame columns={columns} numbers={[2, 4]}>
        {followers.map((follower) => (
          <FollowerRow key={follower.name} follower={follower} action={action} />
        ))}
      </TableFrame>
    </section>
  );
}

function FollowerRow({ follower, action }: { readonly follower: FollowerInfo; readonly action: Action }) {
  const { client } = useConsole();
  const { name, state, paused_by, lag_records, lag_seconds, lag_tenants, stopped_tenants } = follower;
  const change = (what: FollowerChange, done: string) =>
    action.run(async () => {
      await client.followers.change(name, what);
      return done;
    });
  return (
    <tr>
      <td>
        <strong>{name}</strong>
        {Object.hasOwn(purposes, name) && <div class="faint">{purposes[name]}</div>}
      </td>
      <td>
        <Badge tone={tones[state]}>{state}</Badge>
        {paused_by !== null && (
          <div class="faint">
            by <code>{paused_by}</code>
          </div>
        )}
      </td>
      <td class="number">
        {lag_records.toLocaleString()}
        {lag_tenants > 0 && <div class="faint">of {lag_tenants.toLocaleString()} tenants</div>}
      </td>
      <td>{lag_records === 0 ? <span class="faint">none</span> : duration(lag_seconds * 1_000)}</td>
      <td class="number">
        {stopped_tenants === 0 ? (
          <span class="faint">0</span>
        ) : (
          <Badge tone="bad">{stopped_tenants.toLocaleString()}</Badge>
        )}
      </td>
      <td>
        <span class="row-actions">
          {state === 'paused' ? (
            <button
              type="button"
              class="button"
              aria-label={`Resume ${name}`}
              onClick={() => void change({ action: 'resume' }, `${name} is running again.`)}
            >
              Resume
            </button>
          ) : (
            <button
              type="button"
              class="button"
              aria-label={`Pause ${name}`}
              onClick={() => void change({ action: 'pause' }, `${name} is paused until it is resumed.`)}
            >
              Pause
            </button>
          )}
          <ConfirmButton
            label={`Rebuild ${name}`}
            question="Read all chains again"
            action={() => change({ action: 'reset' }, `${name} reads the chains again from their start.`)}
          >
            Rebuild
          </ConfirmButton>
        </span>
      </td>
    </tr>
  );
}

function Stopped({
  follower,
  stopped: { tenant_id, code, reason, sequence_number, stopped_at },
  action,
}: {
  readonly follower: string;
  readonly stopped: StoppedFollower;
  readonly action: Action;
}) {
  const { client } = useConsole();
  const retry = () =>
    action.run(async () => {
      await client.followers.change(follower, { action: 'resume', tenant_id });
      return `${follower} tries again for ${tenant_id}.`;
    });
  return (
    <Notice tone="bad" title={`${follower} has stopped for ${tenant_id}, after record ${sequence_number}`}>
      <p>
        <code>{code}</code> {reason} <Ago value={stopped_at} />
      </p>
      <p>
        <button type="button" class="button" onClick={() => void retry()}>
          Try again
        </button>
      </p>
    </Notice>
  );
}
