import type { AnyEventInput } from '../event/input.ts';
import type { RecordOptions } from './result.ts';

/** A call of `emit()` or `record()`. */
export interface EmitterCall {
  readonly event: AnyEventInput;
  /** Absent if the event names its type itself. */
  readonly eventType: string | undefined;
  readonly options: RecordOptions | undefined;
}

/** Reads the arguments: the event and the options, or the event's type, the rest of the event and the options. */
export function readCall(first: unknown, second?: unknown, third?: RecordOptions): EmitterCall {
  if (typeof first === 'string') return { event: second as AnyEventInput, eventType: first, options: third };
  return {
    event: first as AnyEventInput,
    eventType: undefined,
    options: second as RecordOptions | undefined,
  };
}
