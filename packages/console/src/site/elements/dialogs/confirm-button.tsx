import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** A button for what can't be undone. The first press asks, and only the second one acts. */
export function ConfirmButton({
  label,
  question,
  action,
  children,
}: {
  /** What a screen reader says of the button. */
  readonly label: string;
  /** What the second button says: what happens. */
  readonly question: string;
  readonly action: () => Promise<void>;
  readonly children: ComponentChildren;
}) {
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  // The focus goes to the answer that changes nothing.
  useEffect(() => {
    if (isAsking) keep.current?.focus();
  }, [isAsking]);
  if (!isAsking) {
    return (
      <button type="button" class="button" aria-label={label} onClick={() => setAsking(true)}>
        {children}
      </button>
    );
  }
  const confirm = async () => {
    setBusy(true);
    await action();
    setBusy(false);
    setAsking(false);
  };
  return (
    <span class="confirm" role="group" aria-label={label}>
      <button type="button" class="button danger" disabled={isBusy} onClick={() => void confirm()}>
        {question}
      </button>
      <button type="button" class="button" ref={keep} disabled={isBusy} onClick={() => setAsking(false)}>
        Cancel
      </button>
    </span>
  );
}
