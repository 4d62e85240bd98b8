import type { Approval } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { Failure } from '../elements/notices/failure.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useConsole } from '../session/console-context.ts';
import { documentDigest } from './document-digest.ts';

/** Grants or denies an approval, with a reason. The decision names the digest of the document that is shown above it. */
export function DecisionForm({
  approval,
  onDecided,
}: {
  readonly approval: Approval;
  readonly onDecided: () => void;
}) {
  const { client, session } = useConsole();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [comment, setComment] = useState('');
  const decide = async (verdict: 'grant' | 'deny') => {
    setBusy(true);
    try {
      await client.approvals.decide(approval.id, {
        tenant_id: approval.document.tenant_id,
        verdict,
        document_digest: documentDigest(approval.document),
        ...(comment.trim() !== '' && { comment: comment.trim() }),
      });
      setError(undefined);
      onDecided();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  if (session.subject === undefined) {
    return (
      <Notice title="Your key is not bound to a person">
        <p>
          Approvals are decided by people. Ask the operator for a key that is bound to you as its subject.
        </p>
      </Notice>
    );
  }
  return (
    <section class="record-section decision-form" aria-label="Your decision">
      <h3>Your decision, as {session.subject}</h3>
      <label class="field">
        Reason
        <textarea
          class="input"
          value={comment}
          maxLength={1_000}
          onInput={(event) => setComment(event.currentTarget.value)}
        />
        <span class="hint">
          It becomes part of the record. A denial needs one, so that the next reader knows why.
        </span>
      </label>
      <p class="decision-buttons">
        <button type="button" class="button main" disabled={isBusy} onClick={() => void decide('grant')}>
          Grant
        </button>
        <button
          type="button"
          class="button danger"
          disabled={isBusy || comment.trim() === ''}
          title={comment.trim() === '' ? 'Write a reason first' : undefined}
          onClick={() => void decide('deny')}
        >
          Deny
        </button>
      </p>
      {error !== undefined && <Failure error={error} />}
    </section>
  );
}
