import { numberIn, type TimelineEntry, textIn } from '@tallystick/protocol';

/**
 * How long the step took that each record begins, ms: until the last record that it led to directly. A record that led to none has the
 * duration that it states itself.
 *
 * @returns in the order of the entries
 */
export function stepTimes(entries: readonly TimelineEntry[]): readonly number[] {
  const lastLed = new Map<string, number>();
  for (const { event, elapsed_ms } of entries) {
    const cause = textIn(event, 'parent_id');
    if (cause !== undefined) lastLed.set(cause, Math.max(lastLed.get(cause) ?? 0, elapsed_ms));
  }
  return entries.map(({ event, elapsed_ms }) => {
    const led = lastLed.get(String(event.audit_id));
    // The clocks of two services may differ, so a record can be older than its cause.
    if (led !== undefined) return Math.max(0, led - elapsed_ms);
    return numberIn(event, 'outcome', 'duration_ms') ?? numberIn(event, 'context', 'llm_latency_ms') ?? 0;
  });
}
