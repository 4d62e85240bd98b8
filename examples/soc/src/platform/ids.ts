import type { Clock } from '@tallystick/sdk';
import type { Random } from './random.ts';

/**
 * Makes all ids of the platform. Services take their ids from here and never from their emitter, so that their messages are the same
 * with and without one.
 */
export interface Ids {
  /**
   * A UUIDv7 (RFC 9562): the `audit_id` of an event, or the id of an object, after its `prefix` and a hyphen.
   *
   * @param purpose what the id is for, such as the type and target of an event. Ids that are the same at each delivery of a message
   * need it.
   */
  next(prefix?: string, purpose?: string): string;
  /** A trace id of W3C Trace Context: 32 hexadecimal digits. */
  traceId(): string;
  /** A span id of W3C Trace Context: 16 hexadecimal digits. */
  spanId(): string;
}

/**
 * @param clock gives the time in each UUIDv7. The audit service refuses ids that lie more than an hour ahead of its own clock.
 * @param random a seeded generator makes ids that a test can predict
 */
export function createIds(clock: Pick<Clock, 'now'>, random: Random = Math.random): Ids {
  const digits = (count: number) => {
    let text = '';
    while (text.length < count)
      text += Math.floor(random() * 0x10000)
        .toString(16)
        .padStart(4, '0');
    return text.slice(0, count);
  };
  let lastMs = 0;
  let counter = 0;
  const uuid = () => {
    const now = Math.max(clock.now(), lastMs);
    counter = now > lastMs || counter === 0xfff ? 0 : counter + 1;
    // All ids of this millisecond are used up, so the next millisecond is used.
    lastMs = now === lastMs && counter === 0 ? now + 1 : now;
    const time = lastMs.toString(16).padStart(12, '0');
    const variant = (8 + Math.floor(random() * 4)).toString(16);
    const sequence = counter.toString(16).padStart(3, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence}-${variant}${digits(3)}-${digits(12)}`;
  };
  return {
    next: (prefix) => (prefix === undefined ? uuid() : `${prefix}-${uuid()}`),
    traceId: () => digits(32),
    spanId: () => digits(16),
  };
}
