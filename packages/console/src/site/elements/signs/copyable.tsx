import { useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** An identifier or a hash with a button that copies it. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  const { isCopied, ...button } = useCopy(text);
  return (
    <span class="copyable">
      <code>{text}</code>
      <button {...button} type="button" title={isCopied ? 'Copied' : 'Copy'} aria-label={`Copy ${label}`}>
        <Icon name={isCopied ? 'check' : 'copy'} />
      </button>
      <CopiedNote label={label} isCopied={isCopied} />
    </span>
  );
}

/** Copies a long text that is shown beside it, or not at all. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const { isCopied, ...button } = useCopy(text);
  return (
    <>
      <button {...button} type="button" class="button">
        <Icon name={isCopied ? 'check' : 'copy'} />
        Copy {label}
      </button>
      <CopiedNote label={label} isCopied={isCopied} />
    </>
  );
}

/** What a button that copies a text needs. */
function useCopy(text: string) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return { isCopied, onClick: copy, onBlur: () => setCopied(false) };
}

function CopiedNote({ label, isCopied }: { readonly label: string; readonly isCopied: boolean }) {
  return (
    <span class="only-for-screen-readers" aria-live="polite">
      {isCopied ? `${label} copied` : ''}
    </span>
  );
}
