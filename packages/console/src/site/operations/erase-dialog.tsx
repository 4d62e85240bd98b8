import type { DeadLetterInfo } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { ConfirmDialog } from '../elements/dialogs/dialog.tsx';
import { useConsole } from '../session/console-context.ts';

/** What the reader types, so that no one erases by a slip. */
const word = 'erase';

/** Erases the bytes of a dead letter, after the reader has typed a word. */
export function EraseDialog({
  letter: { id, bytes, reason },
  onErased,
  onClose,
}: {
  readonly letter: DeadLetterInfo;
  /** Called with what came of it, in words. */
  readonly onErased: (outcome: string) => void;
  readonly onClose: () => void;
}) {
  const { client } = useConsole();
  const [typed, setTyped] = useState('');
  const erase = async () => {
    const { letters } = await client.deadLetters.purge({ ids: [id], dry_run: false });
    onErased(
      letters === 0
        ? 'Someone else has erased it already.'
        : 'The bytes are erased. A record in the chain has their hash, and names your key or login.',
    );
  };
  return (
    <ConfirmDialog
      title="Erase this refused event?"
      label="Erase for good"
      isReady={typed.trim().toLowerCase() === word}
      work={erase}
      onClose={onClose}
    >
      <p class="soft">
        Its {bytes.toLocaleString()} bytes can’t be brought back, and it can’t be submitted again. That it was
        refused with <code>{reason}</code> stays on record. The erasure is recorded too, with the hash of the
        bytes and your key or login.
      </p>
      <label class="field">
        Type “{word}” to confirm
        <input
          class="input"
          value={typed}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
    </ConfirmDialog>
  );
}
