import type { Approval } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Drawer, Fact } from '../elements/dialogs/drawer.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Ago, Time } from '../elements/signs/time.tsx';
import { JsonTree } from '../record/json-tree.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { DecisionForm } from './decision-form.tsx';
import '../record/record.css';

/** One approval: exactly the document that the decision is about, who decided, and the form for those who may decide. */
export function ApprovalDrawer({
  tenant,
  approvalId,
  onDecided,
}: {
  readonly tenant: string;
  readonly approvalId: string;
  readonly onDecided: () => void;
}) {
  const { client } = useConsole();
  const place = usePlace();
  const { value, error, reload } = useResource(
    (signal) => client.approvals.get(approvalId, { tenant_id: tenant }, { signal }),
    [client, tenant, approvalId],
  );
  return (
    <Drawer name="Approval" close={place.hrefWith({ approval: undefined })}>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <LoadingRows label="Loading the approval" />}
      {value !== undefined && (
        <Document
          approval={value}
          onDecided={() => {
            reload();
            onDecided();
          }}
        />
      )}
    </Drawer>
  );
}

function Document({ approval, onDecided }: { readonly approval: Approval; readonly onDecided: () => void }) {
  const { session } = useConsole();
  const place = usePlace();
  const { document, rules, decisions, state } = approval;
  const { actor, on_behalf_of = [], target, hidden = {}, reason_unverified, policy } = document;
  const isOpen = state === 'pending';
  return (
    <div class="record">
      <header class="record-heading">
        <h2>{document.action}</h2>
        <p class="soft">
          {isOpen ? 'To be decided ' : `${state.replaceAll('_', ' ')}; requested `}
          <Ago value={isOpen ? approval.decide_before : approval.created_at} />
        </p>
      </header>
      <dl class="facts">
        <Fact title="Agent">
          <span class="faint">{actor.actor_type}</span> {actor.actor_id}
        </Fact>
        {on_behalf_of.length > 0 && (
          <Fact title="On behalf of">{on_behalf_of.map(({ actor_id }) => actor_id).join(', for ')}</Fact>
        )}
        {target !== undefined && (
          <Fact title="Target">
            <span class="faint">{target.type}</span> {target.id}
          </Fact>
        )}
        <Fact title="Requested by">{approval.requester}</Fact>
        <Fact title="Policy">
          {policy.name} <span class="faint">version {policy.version}</span>
        </Fact>
        <Fact title="Needs">
          {rules.approvals} {rules.approvals === 1 ? 'approval' : 'approvals by different people'}
          {rules.approvers !== undefined && ` of ${rules.approvers.join(', ')}`}
        </Fact>
      </dl>
      {reason_unverified !== undefined && (
        <section class="record-section">
          <h3>Why, in the agent’s own words</h3>
          <blockquote class="agent-reason">{reason_unverified}</blockquote>
          <p class="faint">Nothing has checked this reason.</p>
        </section>
      )}
      <section class="record-section">
        <h3>What would be done</h3>
        <JsonTree value={document.arguments} />
        {Object.keys(hidden).map((pointer) => (
          <p class="faint" key={pointer}>
            <code>{pointer}</code> is not visible. The agent is bound to one value.
          </p>
        ))}
      </section>
      {decisions.length > 0 && (
        <section class="record-section">
          <h3>Decisions</h3>
          <ul class="decisions">
            {decisions.map(({ subject, verdict, comment, break_glass, decided_at }) => (
              <li key={subject}>
                <strong>{subject}</strong> {verdict === 'grant' ? 'granted' : 'denied'} it
                {break_glass === true && ' alone, in an emergency'}, <Time value={decided_at} precise />
                {comment !== undefined && <p class="soft">{comment}</p>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {isOpen && may(session, 'approvals:decide') && (
        <DecisionForm approval={approval} onDecided={onDecided} />
      )}
      {isOpen && !may(session, 'approvals:decide') && (
        <Notice title="You can read this, and not decide it">
          <p>To decide, sign in with a key that has the scope approvals:decide and is bound to you.</p>
        </Notice>
      )}
      {may(session, 'events:read') && (
        <p>
          <a class="button" href={place.href('events', { event: approval.intent_id })}>
            Show the record of the intent
          </a>
        </p>
      )}
    </div>
  );
}
