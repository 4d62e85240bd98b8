import { counted, type MissingMatter, type RecordReference, type RecordSample } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Notice } from '../elements/notices/notice.tsx';

/** What shows that records are missing, or may be; and what this page can't prove. */
export function Missing({ missing }: { readonly missing: readonly MissingMatter[] }) {
  const place = usePlace();
  if (missing.length === 0) {
    return (
      <Notice tone="good" title="Nothing is missing, as far as these records show">
        <p>
          Every action has an end, every cause is in the trail, and no producer of these records lost events.{' '}
          <a href={place.href('verification')}>A verification</a> proves that no record was changed or
          removed.
        </p>
      </Notice>
    );
  }
  return (
    <Notice tone="warn" title={`Something may be missing (${missing.length})`}>
      <ul class="missing">
        {missing.map((matter) => (
          <li key={JSON.stringify(matter)}>
            <Matter matter={matter} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** A sentence about one matter, with links to what it names. */
function Matter({ matter }: { readonly matter: MissingMatter }) {
  const place = usePlace();
  switch (matter.kind) {
    case 'records_cut':
      return <>There are more records than the {matter.count.toLocaleString()} that were read.</>;
    case 'causes_cut':
      return <>Only {counted(matter.count, 'cause')} outside of these records were looked up.</>;
    case 'deliveries_cut':
      return <>Only the newest {counted(matter.count, 'record')} about deliveries were read.</>;
    case 'action_open':
      return (
        <>
          <Action {...matter} /> was declared, and no record says how it ended.
        </>
      );
    case 'action_waiting':
      return (
        <>
          <Action {...matter} /> waits for an approval.
        </>
      );
    case 'preparation_open':
      return (
        <>
          <Action {...matter} /> was prepared, and no record says what became of it.
        </>
      );
    case 'ends_disagree':
      return (
        <>
          The records <Sample {...matter} /> disagree on how <bdi>{matter.action}</bdi> ended:{' '}
          <bdi>{matter.ends.join(', ')}</bdi>.
        </>
      );
    case 'cause_unknown':
      return (
        <>
          The record <NumberLink {...matter.record} /> names a cause that is not in the trail:{' '}
          <code>{matter.cause}</code>
        </>
      );
    case 'state_unexplained':
      return (
        <>
          No record says how the state became <bdi>{matter.state ?? 'what it was'}</bdi> before{' '}
          <NumberLink {...matter.record} />.
        </>
      );
    case 'event_conflict':
      return (
        <>
          Another event had the id <code>{matter.audit_id}</code>, and was refused (
          <NumberLink {...matter.record} />
          ). The <a href={place.href('dead-letters')}>dead letters</a> have it.
        </>
      );
    case 'producer_gap':
      return (
        <>
          <Producer {...matter} /> lost {counted(matter.events, 'event')}, which may belong here (
          <NumberLink {...matter.record} />
          ).
        </>
      );
    case 'producer_unclosed':
      return (
        <>
          <Producer {...matter} /> ended without saying how many events it had, so its last ones may be
          missing (<NumberLink {...matter.record} />
          ).
        </>
      );
    case 'producer_contradiction':
      return (
        <>
          <Producer {...matter} /> contradicts itself about how many events it had (
          <NumberLink {...matter.record} />
          ).
        </>
      );
    case 'events_refused':
      return (
        <>
          {counted(matter.events, 'event')} of this tenant {matter.events === 1 ? 'was' : 'were'} refused
          since the first of these records, and may belong here: see the{' '}
          <a href={place.href('dead-letters')}>dead letters</a>.
        </>
      );
    case 'records_sensitive':
      return (
        <>
          You may not read {counted(matter.count, 'sensitive record')}: <Sample {...matter} />.
        </>
      );
    case 'records_damaged':
      return (
        <>
          {counted(matter.count, 'record')} can’t be read: <Sample {...matter} />. The trail was changed.
        </>
      );
    case 'records_claimed':
      return (
        <>
          A client wrote <Sample {...matter} />, though only the service writes such records. Do not rely on{' '}
          {matter.count === 1 ? 'it' : 'them'}.
        </>
      );
    default:
      return <UnknownMatter matter={matter} />;
  }
}

/** A page that was loaded before the service was updated does not know every kind. */
function UnknownMatter({ matter }: { readonly matter: never }) {
  return (
    <>
      Something that this page can’t describe. Load it again: <code>{JSON.stringify(matter)}</code>
    </>
  );
}

function Action({
  action,
  target,
  record,
}: {
  readonly action: string;
  readonly target?: string;
  readonly record: RecordReference;
}) {
  return (
    <>
      <bdi>{action}</bdi> {target !== undefined && <bdi>{target}</bdi>} (<NumberLink {...record} />)
    </>
  );
}

/** Leads to the account of the producer, whatever its state is by now. */
function Producer({ service }: { readonly service?: string }) {
  const place = usePlace();
  return (
    <>
      The <a href={place.href('producers', { all: '1' })}>producer</a>{' '}
      {service !== undefined && (
        <>
          of <bdi>{service}</bdi>{' '}
        </>
      )}
      that wrote some of these records
    </>
  );
}

function Sample({ count, records }: RecordSample) {
  return (
    <>
      {records.map((record, at) => (
        <>
          {at > 0 && ', '}
          <NumberLink {...record} />
        </>
      ))}
      {count > records.length && `, and ${(count - records.length).toLocaleString()} more`}
    </>
  );
}

/** Opens the record beside the timeline. */
function NumberLink({ audit_id, sequence_number }: RecordReference) {
  const place = usePlace();
  return <a href={place.hrefWith({ event: audit_id })}>#{sequence_number}</a>;
}
