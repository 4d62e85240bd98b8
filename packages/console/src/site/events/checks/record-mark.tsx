import { Icon, type IconName } from '../../elements/signs/icon.tsx';
import type { RecordState } from './page-check.ts';

const marks: { readonly [state in RecordState]: { readonly icon: IconName; readonly text: string } } = {
  verified: { icon: 'shield-check', text: 'Verified here' },
  hidden: { icon: 'shield-check', text: 'Its hash is proven; your key may not see its content' },
  broken: { icon: 'alert', text: 'Not intact' },
  gone: { icon: 'alert', text: 'Gone: the service does not find it any more' },
  unsigned: { icon: 'clock', text: 'Not signed yet' },
  other_epoch: { icon: 'minus', text: 'Of another epoch of the log: open it to check it' },
  unproven: { icon: 'alert', text: 'Not proven: no proof holds for it' },
};

/** What the check of a row's record came to. */
export function RecordMark({ state }: { readonly state: RecordState }) {
  const { icon, text } = marks[state];
  return (
    <span class="record-mark" data-state={state} title={text}>
      <Icon name={icon} />
      <span class="only-for-screen-readers">{text}</span>
    </span>
  );
}
