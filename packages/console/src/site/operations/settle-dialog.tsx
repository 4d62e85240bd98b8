import type { ProducerAccount, ProducersSettled } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { ConfirmDialog } from '../elements/dialogs/dialog.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { useConsole } from '../session/console-context.ts';

/** How long a producer must have been silent, seconds. */
const silences = [
  [300, 'five minutes'],
  [3_600, 'one hour'],
  [86_400, 'one day'],
] as const;
/** As long as the service takes a reason. */
const maxReason = 128;

/** Closes the account of a producer that will send nothing more. The service says beforehand what that would declare lost. */
export function SettleDialog({
  tenant,
  producer: { producer_id, service },
  onSettled,
  onClose,
}: {
  readonly tenant: string;
  readonly producer: ProducerAccount;
  /** Called with what came of it, in words. */
  readonly onSettled: (outcome: string) => void;
  readonly onClose: () => void;
}) {
  const { client } = useConsole();
  const [reason, setReason] = useState('');
  const [silence, setSilence] = useState<number>(3_600);
  const settlement = { tenant_id: tenant, producer_ids: [producer_id], silent_seconds: silence };
  const { value, error } = useResource(
    async (signal) => ({
      silence,
      counted: await client.producers.settle(
        { ...settlement, reason: 'counted before', dry_run: true },
        { signal },
      ),
    }),
    [client, tenant, producer_id, silence],
  );
  const counted = value?.silence === silence ? value.counted : undefined;
  const settle = async () => {
    const settled = await client.producers.settle({ ...settlement, reason: reason.trim(), dry_run: false });
    onSettled(
      settled.accounts === 0
        ? 'Nothing was closed: the producer has sent something, or someone else has closed its account.'
        : `The account is closed, and ${numbersText(settled.numbers)} declared lost. Records in the chain say so, with your reason.`,
    );
  };
  return (
    <ConfirmDialog
      title={`Close the account of ${service ?? 'this producer'}?`}
      label="Close the account"
      isReady={reason.trim() !== '' && (counted?.accounts ?? 0) > 0}
      work={settle}
      onClose={onClose}
    >
      <p class="soft">
        Do this when the producer <code>{producer_id}</code> will send nothing more. Its missing numbers are
        declared lost, in records that name your key or login. An event that arrives later is still chained.
      </p>
      <label class="field">
        It has sent nothing for at least
        <select
          class="input"
          value={silence}
          onChange={(event) => setSilence(Number(event.currentTarget.value))}
        >
          {silences.map(([seconds, text]) => (
            <option key={seconds} value={seconds}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Reason
        <input
          class="input"
          value={reason}
          maxLength={maxReason}
          autocomplete="off"
          required
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <span class="hint">It becomes part of the records. For example: “the host was replaced”.</span>
      </label>
      {error !== undefined && <Failure error={error} />}
      {error === undefined && (
        <p class="soft" role="status">
          {counted === undefined ? 'Counting …' : effectText(counted)}
        </p>
      )}
    </ConfirmDialog>
  );
}

function effectText({ accounts, numbers }: ProducersSettled): string {
  if (accounts === 0)
    return 'The producer has sent something in this time, so nothing would be closed. Wait, or choose a shorter time.';
  return `One account would be closed, and ${numbersText(numbers)} declared lost.`;
}

function numbersText(numbers: number): string {
  if (numbers === 0) return 'no number is';
  return numbers === 1 ? 'one number is' : `${numbers.toLocaleString()} numbers are`;
}
