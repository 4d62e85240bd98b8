import type { SocEmitter } from '../platform/recorder.ts';

/** An event as a service emitted it. */
export interface EmittedEvent {
  readonly auditId?: string;
  readonly tenantId?: string;
  readonly alertId?: string;
  readonly investigationId?: string;
  readonly context?: { readonly [member: string]: unknown };
  readonly decision?: { readonly [member: string]: unknown };
}

/** The emitter, and a look at each event that is emitted through it. */
export function watchedEmitter(
  emitter: SocEmitter,
  watch: (type: string, event: EmittedEvent) => void,
): SocEmitter {
  const seen = <R>(call: (...args: never[]) => R): ((first: unknown, ...rest: unknown[]) => R) => {
    return (first, ...rest) => {
      // Both forms of a call: with the type in front, and with it in the event.
      if (typeof first === 'string') watch(first, rest[0] as EmittedEvent);
      else watch((first as { eventType: string }).eventType, first as EmittedEvent);
      return (call as (...args: unknown[]) => R)(first, ...rest);
    };
  };
  return {
    emit: seen(emitter.emit.bind(emitter)),
    record: seen(emitter.record.bind(emitter)),
  } as SocEmitter;
}
