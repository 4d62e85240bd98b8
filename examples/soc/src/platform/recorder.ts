import { type AuditEmitter, agent, combineTaxonomies, type EventBody, soc } from '@tallystick/sdk';
import type { Ids } from './ids.ts';
import type { Lineage } from './lineage.ts';

/** The event types of the platform: its own 48, and those of agents for the gate. */
export const taxonomy = combineTaxonomies(soc, agent);

/** One of the platform's own 48 event types. */
export type SocEventType = (typeof soc.types)[number];

/** What a service needs of an emitter. `record` is for gates, which wait until their intent is in the chain. */
export interface SocEmitter extends Pick<AuditEmitter<typeof taxonomy, undefined>, 'emit' | 'record'> {
  /**
   * Stores an event that is sent unless the work that is being done records how it went on, with an event of the same id. Emitters
   * without a store leave it out.
   */
  mark?(type: SocEventType, event: object): void;
}

type Actor = 'actorType' | 'actorId';
/** Members that the recorder sets itself, from the lineage. */
type Derived = 'auditId' | 'tenantId' | 'clientId' | 'correlationId' | 'traceId' | 'spanId' | 'parentEventId';
type Body<K extends SocEventType> = EventBody<typeof taxonomy, K>;

/** The content of an event of type `K`. The actor is the service itself unless the event names one. */
export type SocEvent<K extends SocEventType> = Omit<Body<K>, Actor | Derived> & Partial<Pick<Body<K>, Actor>>;

/**
 * Records what one service does. Each event has an id whether or not there is an emitter, because messages name the event that led to
 * them: the service publishes the same messages in both cases.
 */
export class Recorder {
  readonly #service: string;
  readonly #ids: Ids;
  readonly #audit: SocEmitter | undefined;

  constructor(service: string, ids: Ids, audit: SocEmitter | undefined) {
    this.#service = service;
    this.#ids = ids;
    this.#audit = audit;
  }

  /**
   * @param auditId the id of the event, where it must be known before, such as for the place of a file; a new one by default
   * @returns the `audit_id`. Pass it to {@link after} for what the event leads to.
   */
  emit<K extends SocEventType>(
    type: K,
    lineage: Lineage,
    event: SocEvent<K>,
    auditId: string = this.#ids.next(undefined, `${type} ${event.targetId ?? ''}`),
  ): string {
    const body = this.#bodyOf(lineage, event, auditId);
    const result = this.#audit?.emit(type, body as unknown as Body<K>);
    // Content that an attacker made too large or malformed must not make the event disappear.
    if (result?.state === 'refused')
      this.#audit?.emit(type, bareEvent(body, this.#service) as unknown as Body<K>);
    return auditId;
  }

  /**
   * Stores what is recorded if the process ends, or the work fails, before {@link emit} is called with the same id. Call it before an
   * effect outside of the process.
   */
  mark<K extends SocEventType>(type: K, lineage: Lineage, event: SocEvent<K>, auditId: string): void {
    this.#audit?.mark?.(type, this.#bodyOf(lineage, event, auditId));
  }

  #bodyOf(lineage: Lineage, event: object, auditId: string) {
    const { tenantId, correlationId, traceId, spanId, parentEventId, alertId, investigationId } = lineage;
    const known = { auditId, tenantId, correlationId, traceId, spanId, parentEventId };
    return { actorType: 'service', actorId: this.#service, alertId, investigationId, ...event, ...known };
  }
}

/** Members of an event that the platform makes itself. */
const ownMembers = [
  ...['eventType', 'auditId', 'timestamp', 'tenantId', 'correlationId', 'traceId', 'spanId', 'parentEventId'],
  ...['alertId', 'investigationId'],
];

/** What remains of an event of a service whose content was refused: that it happened. */
export function bareEvent(event: object, service: string) {
  return {
    ...Object.fromEntries(Object.entries(event).filter(([member]) => ownMembers.includes(member))),
    actorType: 'service',
    actorId: service,
    severity: 'warning',
    outcome: {
      outcome_status: 'partial',
      error_code: 'CONTENT_REFUSED',
      error_message: 'it happened, but its content does not fit into an event',
    },
  };
}
