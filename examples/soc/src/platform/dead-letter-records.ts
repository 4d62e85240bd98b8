import { refusalEvent } from './intake.ts';
import type { Recorder, SocEvent, SocEventType } from './recorder.ts';
import { platformTenant, type TenantDirectory } from './tenants.ts';
import type { DeadLetter, Topic } from './topics.ts';

/** Records a dead letter that no service recorded. @returns the `audit_id` of the event; `undefined` if nothing is recorded */
export type RecordDeadLetter = (letter: DeadLetter) => string | undefined;

/** What the consumers of a topic record: a message that they could not handle is recorded as that, with its refusal. */
const eventTypeOf: Record<Topic, SocEventType> = {
  'alerts.raw': 'alert.classified',
  'alerts.normalized': 'investigation.state_changed',
  investigations: 'response.generated',
  'actions.pending': 'response.prepared',
  'actions.settled': 'investigation.state_changed',
  'telemetry.raw': 'atlas.detection_fired',
  'atlas.detections': 'investigation.enriched',
  'ctem.raw.wiz': 'ctem.exposure_scored',
  'ctem.raw.snyk': 'ctem.exposure_scored',
  'ctem.raw.garak': 'ctem.exposure_scored',
  'ctem.raw.art': 'ctem.exposure_scored',
  'ctem.normalized': 'investigation.enriched',
  'playbooks.draft': 'playbook.generated',
};

/**
 * Records dead letters of services. The record is in the trail of the message's tenant; if the message names no tenant that is served,
 * it is in the platform's own.
 *
 * @param recorderOf the recorder of a consumer; `undefined` for one that is no service
 */
export function deadLetterRecords(
  recorderOf: (consumer: string) => Recorder | undefined,
  tenants: TenantDirectory,
): RecordDeadLetter {
  return ({ topic, consumer, lineage, code, reason }) => {
    const isServed = tenants.find(lineage.tenantId) !== undefined;
    const event = {
      ...refusalEvent({ code, message: reason }),
      targetType: 'topic',
      targetId: topic,
    };
    return recorderOf(consumer)?.emit(
      eventTypeOf[topic as Topic],
      isServed ? lineage : { ...lineage, tenantId: platformTenant },
      event as unknown as SocEvent<SocEventType>,
    );
  };
}
