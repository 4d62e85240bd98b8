import { refusalEvent } from './intake.ts';
import { handlerFailed } from './message-handling.ts';
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
  patterns: 'fp_pattern.created',
};

/** The text of the error is only in the dead letter: it may repeat personal data of the message, and a record can't be deleted. */
const failure = refusalEvent({
  code: handlerFailed,
  message: 'the service failed at each attempt; its dead letter has the error',
});
const failureEvent = { ...failure, decision: { ...failure.decision, classification: 'unhandled' } };

/**
 * Records dead letters of services. The record is in the trail of the message's tenant. If the platform does not serve that tenant, the
 * record is in the platform's own trail.
 *
 * @param recorderOf the recorder of a consumer; `undefined` for a consumer that is not a service
 */
export function deadLetterRecords(
  recorderOf: (consumer: string) => Recorder | undefined,
  tenants: TenantDirectory,
): RecordDeadLetter {
  return ({ topic, consumer, lineage, code, reason }) => {
    const recorder = recorderOf(consumer);
    if (recorder === undefined) return undefined;
    const isServed = tenants.find(lineage.tenantId) !== undefined;
    const event = {
      ...(code === handlerFailed ? failureEvent : refusalEvent({ code, message: reason })),
      targetType: 'topic',
      targetId: topic,
    };
    return recorder.emit(
      eventTypeOf[topic as Topic],
      isServed ? lineage : { ...lineage, tenantId: platformTenant },
      event as unknown as SocEvent<SocEventType>,
    );
  };
}
