import type { EventView } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { saveFile } from '../elements/browser/save-file.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { Icon } from '../elements/signs/icon.tsx';
import { useConsole } from '../session/console-context.ts';

/** Downloads the proof of a record, which anyone can verify without the service. */
export function ReceiptButton({ event }: { readonly event: EventView }) {
  const { client } = useConsole();
  const [error, setError] = useState<unknown>();
  const auditId = String(event.audit_id);
  const download = async () => {
    try {
      const receipt = await client.logs.receipt(String(event.tenant_id), auditId);
      saveFile(`${auditId}.tlog-proof`, new Blob([receipt], { type: 'text/plain' }));
      setError(undefined);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <section class="record-section">
      <h3>Take the proof with you</h3>
      <p class="soft">
        The receipt proves this record to a third party. To check it:{' '}
        <code>tally verify receipt {auditId}.tlog-proof</code>
      </p>
      <p>
        <button type="button" class="button" onClick={() => void download()}>
          <Icon name="download" />
          Download the receipt
        </button>
      </p>
      {error !== undefined && <Failure error={error} />}
    </section>
  );
}
