import { missing } from '../event/encode.ts';
import type {
  AnyTaxonomy,
  AuditActorType,
  AuditMetadata,
  AuditProof,
  PayloadIn,
  TypeIn,
} from '../event/input.ts';
import type { AuditEventResult } from './result.ts';

/** What a built event must have. */
type Part = 'action' | 'actor' | 'target' | 'outcome';

interface Finish {
  /** Emits the event. */
  emit(): AuditEventResult;
  /** The same as {@link emit}. */
  emitBuilt(): AuditEventResult;
}

type Payload<X, K extends string> = Omit<PayloadIn<X, K>, 'outcome' | 'proof' | 'metadata' | 'eventData'>;

interface Steps<X extends AnyTaxonomy, K extends TypeIn<X>, Has extends Part> {
  /** What happened: the event's type. */
  action<T extends TypeIn<X>>(eventType: T): Builder<X, T, Has | 'action'>;
  actor(type: AuditActorType, id: string): Builder<X, K, Has | 'actor'>;
  /** What was acted on. */
  target(type: string, id: string): Builder<X, K, Has | 'target'>;
  succeeded(): Builder<X, K, Has | 'outcome'>;
  failed(errorCode?: string, errorMessage?: string): Builder<X, K, Has | 'outcome'>;
  partial(): Builder<X, K, Has | 'outcome'>;
  pending(): Builder<X, K, Has | 'outcome'>;
  withProof(proof: AuditProof): Builder<X, K, Has>;
  /** The other side's answer proves it. */
  withApiProof(data: Record<string, unknown>): Builder<X, K, Has>;
  /** A picture at this address, taken now, proves it. */
  withScreenshotProof(url: string): Builder<X, K, Has>;
  /** Adds to what earlier calls gave. */
  withMetadata(metadata: AuditMetadata): Builder<X, K, Has>;
  withCorrelation(correlationId: string): Builder<X, K, Has>;
  /** Links to the event that led to this one. */
  childOf(parentEventId: string): Builder<X, K, Has>;
  /** Context and decision, in the shapes that the taxonomy gives this type. */
  with(payload: Payload<X, K>): Builder<X, K, Has>;
}

/** An event in the making. It has `emit()` once nothing is missing; every step gives a new object. */
export type Builder<
  X extends AnyTaxonomy = undefined,
  K extends TypeIn<X> = TypeIn<X>,
  Has extends Part = never,
> = Steps<X, K, Has> & ([Part] extends [Has] ? Finish : unknown);

type State = { readonly [field: string]: unknown };

export function startBuilder<X extends AnyTaxonomy>(
  emit: (event: State) => AuditEventResult,
  clientId: string,
): Builder<X> {
  return new EventBuilder(emit, { clientId }) as unknown as Builder<X>;
}

/** In the order of a sentence; the messages are seed 004's. */
const needed = ['clientId', 'actionType', 'actorType', 'actorId', 'targetType', 'targetId', 'outcome'];

class EventBuilder {
  readonly #emit: (event: State) => AuditEventResult;
  readonly #state: State;

  constructor(emit: (event: State) => AuditEventResult, state: State) {
    this.#emit = emit;
    this.#state = state;
  }

  action(actionType: string): EventBuilder {
    return this.#and({ actionType });
  }

  actor(actorType: AuditActorType, actorId: string): EventBuilder {
    return this.#and({ actorType, actorId });
  }

  target(targetType: string, targetId: string): EventBuilder {
    return this.#and({ targetType, targetId });
  }

  succeeded(): EventBuilder {
    return this.#and({ outcome: 'success' });
  }

  failed(errorCode?: string, errorMessage?: string): EventBuilder {
    const outcome = {
      outcome_status: 'failure',
      ...(errorCode !== undefined && { errorCode }),
      ...(errorMessage !== undefined && { errorMessage }),
    };
    return this.#and({ outcome });
  }

  partial(): EventBuilder {
    return this.#and({ outcome: 'partial' });
  }

  pending(): EventBuilder {
    return this.#and({ outcome: 'pending' });
  }

  withProof(proof: AuditProof): EventBuilder {
    return this.#and({ proof });
  }

  withApiProof(data: Record<string, unknown>): EventBuilder {
    return this.#and({ proof: { type: 'api_response', data } });
  }

  withScreenshotProof(url: string): EventBuilder {
    return this.#and({ proof: { type: 'screenshot', url, capturedAt: new Date() } });
  }

  withMetadata(metadata: AuditMetadata): EventBuilder {
    return this.#and({ metadata: { ...(this.#state.metadata as object | undefined), ...metadata } });
  }

  withCorrelation(correlationId: string): EventBuilder {
    return this.#and({ correlationId });
  }

  childOf(parentEventId: string): EventBuilder {
    return this.#and({ parentEventId });
  }

  with(payload: State): EventBuilder {
    return this.#and(payload);
  }

  emit(): AuditEventResult {
    for (const field of needed) {
      const value = this.#state[field];
      if (value === undefined || value === null || value === '') throw missing(field, `/${wireNames[field]}`);
    }
    return this.#emit(this.#state);
  }

  emitBuilt(): AuditEventResult {
    return this.emit();
  }

  #and(more: State): EventBuilder {
    return new EventBuilder(this.#emit, { ...this.#state, ...more });
  }
}

const wireNames: { readonly [field: string]: string } = {
  clientId: 'tenant_id',
  actionType: 'event_type',
  actorType: 'actor_type',
  actorId: 'actor_id',
  targetType: 'target_type',
  targetId: 'target_id',
  outcome: 'outcome',
};
