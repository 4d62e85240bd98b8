import type { EventView } from '@tallystick/protocol';
import { Members } from './members.tsx';
import { useSettings } from './settings.ts';

/** What a reader asks first, in this order. */
const first = [
  'event_type',
  'actor_id',
  'actor_type',
  'target_id',
  'target_type',
  'outcome',
  'source_ip',
  'source_service',
];
/** What only a check or a support case needs. */
const technical = new Set([
  ...['audit_id', 'tenant_id', 'timestamp', 'ingested_at', 'sequence_number', 'epoch'],
  ...['record_hash', 'previous_hash', 'event_version', 'ingest'],
]);

/** Every member of an event: what happened first, ids and hashes last, behind a title. */
export function EventMembers({ event }: { readonly event: EventView }) {
  const { words } = useSettings();
  const names = Object.keys(event);
  const pick = (wanted: readonly string[]) => Object.fromEntries(wanted.map((name) => [name, event[name]]));
  const plain = [
    ...first.filter((name) => names.includes(name)),
    ...names.filter((name) => !first.includes(name) && !technical.has(name)),
  ];
  return (
    <>
      <Members value={pick(plain)} />
      <details class="technical">
        <summary>{words.technical}</summary>
        <Members value={pick(names.filter((name) => technical.has(name)))} />
      </details>
    </>
  );
}
