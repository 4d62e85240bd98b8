import type { EventView } from '@tallystick/protocol';
import { checkRecord, type RecordCheckResult } from '@tallystick/verify';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlarmDetail } from '../contract.ts';
import type { Remembered } from '../trust/memory.ts';
import { recordEvidence } from '../trust/record-evidence.ts';
import { filled } from '../words/words.ts';
import { CheckSteps } from './check-steps.tsx';
import { EventMembers } from './event-members.tsx';
import { failureText, reasonOf, saveText, useSettings } from './settings.ts';
import { Time } from './time.tsx';

interface Checked {
  readonly event: EventView;
  /** Absent: the token does not get the bytes. */
  readonly result: RecordCheckResult | undefined;
}

/** One record: what happened, and whether this browser could verify it. */
export function RecordPanel({
  event: listed,
  known,
  onAlarm,
  onClose,
}: {
  readonly event: EventView;
  readonly known: Remembered;
  readonly onAlarm: (detail: AlarmDetail) => void;
  readonly onClose: () => void;
}) {
  const { client, words } = useSettings();
  const [checked, setChecked] = useState<Checked>();
  const [error, setError] = useState<unknown>();
  const panel = useRef<HTMLElement>(null);
  const [tenant, auditId] = [String(listed.tenant_id), String(listed.audit_id)];
  useEffect(() => {
    panel.current?.focus();
    const controller = new AbortController();
    const { signal } = controller;
    const check = async () => {
      const event = await client.events.get(auditId, { tenant_id: tenant, include: 'record' }, { signal });
      const evidence = await recordEvidence(client, known, event, {
        signal,
        reasonOf: (failure) => reasonOf(failure, words),
      });
      // Here and not in a worker: 0.3 ms of processor time for a record of 400 bytes (median of 300, Node). A worker from a blob needs
      // `worker-src blob:` of the host's policy, and a page can't ask its policy: a refused worker is a violation that the host gets reported.
      const result = evidence && (await checkRecord(evidence));
      if (signal.aborted) return;
      setChecked({ event, result });
      if (result?.checks.some(({ state }) => state === 'failed'))
        onAlarm({ state: 'record', tenant, audit_id: auditId });
    };
    check().catch((failure: unknown) => {
      if (!signal.aborted) setError(failure);
    });
    return () => controller.abort();
  }, [client, auditId]);
  const download = async () => {
    try {
      saveText(`${auditId}.tlog-proof`, await client.logs.receipt(tenant, auditId));
    } catch (failure) {
      setError(failure);
    }
  };
  // What was checked is what is shown: the record that was read for the check, and not the row of the list.
  const { record: _, ...event } = checked?.event ?? listed;
  return (
    <aside
      class="panel"
      part="panel"
      ref={panel}
      tabIndex={-1}
      aria-label={words.details}
      onKeyDown={(key) => {
        if (key.key === 'Escape') onClose();
      }}
    >
      <header>
        <h2>{String(event.event_type ?? '')}</h2>
        <button type="button" class="plain" onClick={onClose}>
          {words.close}
        </button>
      </header>
      <p class="soft">
        <Time value={event.timestamp ?? event.ingested_at} /> ·{' '}
        {filled(words.place, { index: event.sequence_number })}
      </p>
      {error !== undefined && (
        <p class="notice bad" role="alert">
          {failureText(error, words)}
        </p>
      )}
      {error === undefined && <CheckSteps isDone={checked !== undefined} result={checked?.result} />}
      <EventMembers event={event} />
      <button type="button" onClick={() => void download()}>
        {words.receipt}
      </button>
    </aside>
  );
}
