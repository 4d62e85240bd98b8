import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { Failure } from '../notices/failure.tsx';
import { useReturnedFocus } from './returned-focus.ts';
import './dialog.css';

/**
 * Asks before something that can't be undone. The browser keeps the focus inside; Esc and Cancel close it, and the focus goes back to the
 * button that opened it. If the work fails, the dialog stays and says why.
 */
export function ConfirmDialog({
  title,
  label,
  isReady,
  work,
  onClose,
  children,
}: {
  readonly title: string;
  /** What the button says that does it. */
  readonly label: string;
  /** Whether the reader has filled in what the work needs. */
  readonly isReady: boolean;
  readonly work: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useReturnedFocus(dialog, (element) => element.showModal());
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await work();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <dialog
      class="dialog"
      ref={dialog}
      aria-labelledby={titleId}
      onClose={onClose}
      onCancel={(event) => {
        // A request that is under way is not taken back by closing the dialog.
        if (isBusy) event.preventDefault();
      }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={titleId}>{title}</h2>
        {children}
        {error !== undefined && <Failure error={error} />}
        <p class="dialog-buttons">
          <button type="button" class="button" disabled={isBusy} onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button danger" disabled={!isReady || isBusy}>
            {label}
          </button>
        </p>
      </form>
    </dialog>
  );
}
