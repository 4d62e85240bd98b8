import type { EventView } from '@tallystick/protocol';
import { CopyButton } from '../elements/signs/copyable.tsx';
import { withVisibleDirections } from '../trail/directions.ts';

/** The bytes that were hashed, as they are, and the same in lines. */
export function RawRecord({ event: { record } }: { readonly event: EventView }) {
  if (typeof record !== 'string') return null;
  return (
    <details class="record-section raw">
      <summary>
        <h3>Raw record</h3>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{inLines(record)}</pre>
      <p>
        <CopyButton text={record} label="the bytes that were hashed" />
      </p>
      <details>
        <summary class="faint">The bytes that were hashed</summary>
        <pre>{record}</pre>
      </details>
    </details>
  );
}

function inLines(record: string): string {
  try {
    return withVisibleDirections(JSON.stringify(JSON.parse(record), null, 2));
  } catch {
    return record;
  }
}
