import { type Approval, type ApprovalState, approvalStates } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Badge, type Tone } from '../elements/signs/badge.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { ApprovalDrawer } from './approval-drawer.tsx';
import './approvals.css';

/** The desk: what agents want to do, and what became of it. */
export function ApprovalsPage() {
  return <ForTenant page={(tenant) => <ApprovalsOf tenant={tenant} />} />;
}

function ApprovalsOf({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const [round, setRound] = useState(0);
  const chosen = place.parameters.get('state') ?? 'pending';
  const state = approvalStates.find((each) => each === chosen);
  const openId = place.parameters.get('approval');
  return (
    <div class="approvals-page">
      <div class="stack">
        <label class="field state-choice">
          State
          <select
            class="input"
            value={state ?? 'all'}
            onChange={(event) => place.change({ state: event.currentTarget.value, approval: undefined })}
          >
            {approvalStates.map((each) => (
              <option key={each} value={each}>
                {stateText(each)}
              </option>
            ))}
            <option value="all">all</option>
          </select>
        </label>
        <section class="panel" aria-label="Approvals">
          <PagedTable<Approval>
            read={async (cursor, signal) => {
              const query = { tenant_id: tenant, state, limit: 50, cursor };
              const { approvals, next_cursor } = await client.approvals.list(query, { signal });
              return { items: approvals, cursor: next_cursor };
            }}
            dependencies={[client, tenant, state, round]}
            columns={['Action', 'Agent', 'Target', 'State', 'Requested']}
            keyOf={({ id }) => id}
            row={(approval) => <ApprovalRow approval={approval} />}
            empty={<NoApprovals state={state} />}
          />
        </section>
      </div>
      {openId !== null && (
        <ApprovalDrawer
          key={openId}
          tenant={tenant}
          approvalId={openId}
          onDecided={() => setRound(round + 1)}
        />
      )}
    </div>
  );
}

function ApprovalRow({ approval }: { readonly approval: Approval }) {
  const place = usePlace();
  const { id, document, state, created_at } = approval;
  return (
    <>
      <td>
        <a
          href={place.hrefWith({ approval: id })}
          aria-current={place.parameters.get('approval') === id ? 'true' : undefined}
        >
          {document.action}
        </a>
      </td>
      <td>{document.actor.actor_id}</td>
      <td class="long">
        {document.target !== undefined && (
          <>
            <span class="faint">{document.target.type}</span> {document.target.id}
          </>
        )}
      </td>
      <td>
        <StateBadge state={state} />
      </td>
      <td>
        <Ago value={created_at} />
      </td>
    </>
  );
}

function NoApprovals({ state }: { readonly state: ApprovalState | undefined }) {
  const place = usePlace();
  return state === 'pending' ? (
    <Empty icon="shield-check" title="No agent waits for a decision">
      <p>A request appears here as soon as a gate asks for an approval.</p>
      <p>
        <a class="button" href={place.hrefWith({ state: 'all' })}>
          Show earlier approvals
        </a>
      </p>
    </Empty>
  ) : (
    <Empty icon="shield" title="There is no such approval">
      <p>Agents whose actions go through a gate ask for approvals. Choose another state to see others.</p>
    </Empty>
  );
}

const tones: { readonly [state in ApprovalState]: Tone } = {
  pending: 'warn',
  granted: 'good',
  claimed: 'good',
  denied: 'bad',
  timed_out: 'quiet',
  withdrawn: 'quiet',
  expired: 'quiet',
};

function StateBadge({ state }: { readonly state: ApprovalState }) {
  return <Badge tone={tones[state]}>{stateText(state)}</Badge>;
}

function stateText(state: ApprovalState): string {
  if (state === 'claimed') return 'granted and used';
  return state.replaceAll('_', ' ');
}
