/**
 * Names of the headers of a message on a Kafka topic (spec/delivery.md, "Delivery over Kafka"). The values are UTF-8 text.
 * On the topic that applications write to, the service trusts none of them to say who submitted the event.
 */
export const kafkaHeaders = Object.freeze({
  /** UUIDv7 of the producing process. */
  producerId: 'tallystick-producer-id',
  /** Decimal number of the event within (producer, tenant). */
  producerSequence: 'tallystick-producer-seq',
  /** Name of the producing service. */
  service: 'tallystick-service',
  /** `true` if the runtime of the process may end it without notice; absent otherwise. */
  ephemeral: 'tallystick-ephemeral',
  /** Absent for an event; {@link statementKind} for a producer's statement without events. */
  kind: 'tallystick-kind',
  /** Only on the gateway's topic: the authenticated submitter, `key:<id>`. */
  principal: 'tallystick-principal',
  /** Only on the gateway's topic: a JSON array of the tenants that the submitter may write for. */
  tenants: 'tallystick-tenants',
  /** Only on the gateway's topic: a JSON array of the reasons why the gateway refused the event. */
  refusal: 'tallystick-refusal',
});

/** Value of the header `tallystick-kind` that marks a producer's statement: declared gaps and last numbers. */
export const statementKind = 'statement';
