import { useState } from 'preact/hooks';
import { Copyable } from '../elements/signs/copyable.tsx';
import { Time } from '../elements/signs/time.tsx';
import type { KnownLog } from './pinned-keys.ts';

/** The key that this browser trusts, why, and a way to trust another one. */
export function PinKey({
  known,
  onPin,
}: {
  readonly known: KnownLog;
  readonly onPin: (key: string) => void;
}) {
  const [complaint, setComplaint] = useState<string>();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    try {
      onPin(String(data.get('key')));
      setComplaint(undefined);
    } catch {
      setComplaint('This is not a verifier key. It looks like: audit.example.com/acme/1+1a2b3c4d+AQ…');
    }
  };
  return (
    <div class="pinned-key">
      <p>
        <strong>Key pinned in this browser</strong> since <Time value={known.pinned_at} precise />
      </p>
      <Copyable text={known.key} label="the pinned key" />
      {known.by === 'first-use' ? (
        <p class="soft">
          The service showed this key at your first visit, so it is as trustworthy as that connection. Compare
          it with the key that the operator published elsewhere, or pin that one.
        </p>
      ) : (
        <p class="soft">You entered this key yourself.</p>
      )}
      <details>
        <summary>Pin another key</summary>
        <form onSubmit={submit}>
          <label class="field">
            Verifier key
            <input
              class="input code"
              name="key"
              required
              autocomplete="off"
              spellcheck={false}
              aria-invalid={complaint !== undefined}
            />
          </label>
          {complaint !== undefined && (
            <p class="complaint" role="alert">
              {complaint}
            </p>
          )}
          <button type="submit" class="button">
            Pin this key
          </button>
        </form>
      </details>
    </div>
  );
}
