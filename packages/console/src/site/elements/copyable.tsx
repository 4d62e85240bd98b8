import { useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** An identifier or a hash with a button that copies it. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <span class="copyable">
      <code>{text}</code>
      <button
        type="button"
        title={copied ? 'Copied' : 'Copy'}
        aria-label={`Copy ${label}`}
        onClick={copy}
        onBlur={() => setCopied(false)}
      >
        <Icon name={copied ? 'check' : 'copy'} />
      </button>
      <span class="only-for-screen-readers" aria-live="polite">
        {copied ? `${label} copied` : ''}
      </span>
    </span>
  );
}
