import type {
  AnyTaxonomy,
  AuditActorType,
  AuditMetadata,
  AuditProof,
  PayloadIn,
  TypeIn,
} from '../event/input.ts';
import { missingField } from '../event/validation-error.ts';
import type { AuditEventResult } from './result.ts';

/** The steps that must be called before `emit()`. */
type RequiredStep = 'action' | 'actor' | 'target' | 'outcome';

interface Finish {
  /** Emits the event. */
  emit(): AuditEventResult;
  /** The same as {@link emit}. */
  emitBuilt(): AuditEventResult;
}

type Payload<X, K extends string> = Omit<PayloadIn<X, K>, 'outcome' | 'proof' | 'metadata' | 'eventData'>;

interface Steps<X extends AnyTaxonomy, K extends TypeIn<X>, Has extends RequiredStep> {
  /** Sets the event's type. */
  action<T extends TypeIn<X>>(eventType: T): Builder<X, T, Has | 'action'>;
  /** Sets who acted. */
  actor(type: AuditActorType, id: string): Builder<X, K, Has | 'actor'>;
  /** Sets the object that was acted on. */
  target(type: string, id: string): Builder<X, K, Has | 'target'>;
  /** Sets the outcome, as the next three methods do. */
  succeeded(): Builder<X, K, Has | 'outcome'>;
  failed(errorCode?: string, errorMessage?: string): Builder<X, K, Has | 'outcome'>;
  partial(): Builder<X, K, Has | 'outcome'>;
  pending(): Builder<X, K, Has | 'outcome'>;
  withProof(proof: AuditProof): Builder<X, K, Has>;
  /** Adds the response of the called API as a proof. */
  withApiProof(data: Record<string, unknown>): Builder<X, K, Has>;
  /** Adds a screenshot at this address, taken now, as a proof. */
  withScreenshotProof(url: string): Builder<X, K, Has>;
  /** Adds metadata. Members of earlier calls are kept. */
  withMetadata(metadata: AuditMetadata): Builder<X, K, Has>;
  withCorrelation(correlationId: string): Builder<X, K, Has>;
  /** Names the event that caused this one by its `audit_id`. */
  childOf(parentEventId: string): Builder<X, K, Has>;
  /** Adds context and decision, in the shapes that the taxonomy declares for the type. */
  with(payload: Payload<X, K>): Builder<X, K, Has>;
}

/** An event that is built step by step. `emit()` exists when no required step is missing. Each step returns a new object. */
export type Builder<
  X extends AnyTaxonomy = undefined,
  K extends TypeIn<X> = TypeIn<X>,
  Has extends RequiredStep = never,
> = Steps<X, K, Has> & ([RequiredStep] extends [Has] ? Finish : unknown);

type State = { readonly [field: string]: unknown };

export function startBuilder<X extends AnyTaxonomy>(
  emit: (event: State) => AuditEventResult,
  clientId: string,
): Builder<X> {
  return new EventBuilder(emit, { clientId }) as unknown as Builder<X>;
}

/** The required fields, in the order in which a missing one is reported. */
const requiredFields = [
  'clientId',
  'actionType',
  'actorType',
  'actorId',
  'targetType',
  'targetId',
  'outcome',
];

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
    for (const field of requiredFields) {
      const value = this.#state[field];
      if (value === undefined || value === null || value === '')
        throw missingField(field, `/${wireNames[field]}`);
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
