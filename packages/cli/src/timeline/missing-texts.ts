import { counted, type MissingMatter, type RecordReference, type RecordSample } from '@tallystick/protocol';

/** What a timeline shows to be missing, as a sentence that names records by their numbers and goes on with a command. */
export function missingText(matter: MissingMatter): string {
  switch (matter.kind) {
    case 'records_cut':
      return `there are more records than the ${matter.count} that were read; a higher limit reads up to 10000`;
    case 'causes_cut':
      return `only ${matter.count} causes outside of it were looked up`;
    case 'deliveries_cut':
      return `only the newest ${matter.count} records about deliveries were read`;
    case 'action_open':
      return `${actionText(matter)} was declared, and no record says how it ended`;
    case 'action_waiting':
      return `${actionText(matter)} waits for an approval`;
    case 'preparation_open':
      return `${actionText(matter)} was prepared, and no record says what became of it`;
    case 'ends_disagree':
      return `the records ${sampleText(matter)} disagree on how ${matter.action} ended: ${matter.ends.join(', ')}`;
    case 'cause_unknown':
      return `${numberOf(matter.record)} names a cause that is not in the trail: ${matter.cause}`;
    case 'state_unexplained':
      return `no record says how the state became ${matter.state ?? 'what it was'} before ${numberOf(matter.record)}`;
    case 'event_conflict':
      return `another event had the id ${matter.audit_id}, and was refused (${numberOf(matter.record)} delivery.conflict)`;
    case 'producer_gap':
      return `${producerText(matter)} lost ${counted(matter.events, 'event')}, which may belong to it (${numberOf(matter.record)} delivery.gap)`;
    case 'producer_unclosed':
      return `${producerText(matter)} ended without saying how many events it had, so its last ones may be missing (${numberOf(matter.record)} delivery.unclosed)`;
    case 'producer_contradiction':
      return `${producerText(matter)} contradicts itself about how many events it had (${numberOf(matter.record)} delivery.contradiction)`;
    case 'events_refused':
      return `${counted(matter.events, 'event')} of this tenant ${matter.events === 1 ? 'was' : 'were'} refused since its first record, and may belong to it: see the dead letters (tally dlq list)`;
    case 'records_sensitive':
      return `${counted(matter.count, 'sensitive record')} can't be read with this key: ${sampleText(matter)}`;
    case 'records_damaged':
      return `${counted(matter.count, 'record')} can't be read: ${sampleText(matter)}; the trail was changed`;
    case 'records_claimed':
      return `${sampleText(matter)}: written by a client, though only the service writes such records; do not rely on it`;
    default:
      return unknownText(matter);
  }
}

/** A newer service may know of kinds that this version has no sentence for. */
function unknownText(matter: never): string {
  return `something that this version of tally can't describe: ${JSON.stringify(matter)}`;
}

function actionText({
  action,
  target,
  record,
}: {
  readonly action: string;
  readonly target?: string;
  readonly record: RecordReference;
}): string {
  return `${action}${target === undefined ? '' : ` ${target}`} (${numberOf(record)})`;
}

function producerText({ service }: { readonly service?: string }): string {
  return `the producer ${service === undefined ? '' : `of ${service} `}that wrote records of it`;
}

function numberOf({ sequence_number }: RecordReference): string {
  return `#${sequence_number}`;
}

/** The numbers of records, as `#3, #7, and 5 more`. */
function sampleText({ count, records }: RecordSample): string {
  const numbers = records.map(numberOf).join(', ');
  return count > records.length ? `${numbers}, and ${count - records.length} more` : numbers;
}
