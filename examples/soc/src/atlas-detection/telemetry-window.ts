import type { Telemetry } from '../platform/detection.ts';
import type { Settings } from '../platform/settings.ts';

/** The telemetry of the look-back, per tenant, kind and subject. Owned by the detection service; lost at a restart. */
export class TelemetryWindow {
  readonly #settings: Settings['atlas'];
  /** By kind and subject, in the order of their latest telemetry: the first entry was silent longest. */
  readonly #tenants = new Map<string, Map<string, readonly Telemetry[]>>();

  constructor(settings: Settings['atlas']) {
    this.#settings = settings;
  }

  /** The window of a subject with one more telemetry, in the order of its times and without what is too old. Nothing is kept of it. */
  with(tenantId: string, telemetry: Telemetry, now: number): readonly Telemetry[] {
    const { lookBackMs, maxTelemetryPerSubject } = this.#settings;
    const known = this.#tenants.get(tenantId)?.get(keyOf(telemetry)) ?? [];
    return [...known, telemetry]
      .filter(({ time }) => now - Date.parse(time) < lookBackMs)
      .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
      .slice(-maxTelemetryPerSubject);
  }

  /** Keeps a window that {@link with} returned for this telemetry. */
  keep(tenantId: string, telemetry: Telemetry, window: readonly Telemetry[]): void {
    const subjects = this.#tenants.get(tenantId) ?? new Map<string, readonly Telemetry[]>();
    this.#tenants.set(tenantId, subjects);
    const key = keyOf(telemetry);
    subjects.delete(key);
    subjects.set(key, window);
    if (subjects.size > this.#settings.maxSubjects) subjects.delete(subjects.keys().next().value!);
  }
}

function keyOf({ kind, subject }: Telemetry): string {
  return JSON.stringify([kind, subject]);
}
