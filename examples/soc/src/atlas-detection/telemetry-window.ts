import type { Telemetry } from '../platform/detection.ts';
import type { Settings } from '../platform/settings.ts';

/** The telemetry of the look-back, per tenant, kind and subject. Owned by the detection service; lost at a restart. */
export class TelemetryWindow {
  readonly #settings: Settings['atlas'];
  /** By kind and subject, in the order of their latest telemetry: the first entry was silent longest. */
  readonly #tenants = new Map<string, Map<string, Telemetry[]>>();

  constructor(settings: Settings['atlas']) {
    this.#settings = settings;
  }

  /** Adds telemetry, and returns all of its subject that is not too old, in the order of its times. */
  add(tenantId: string, telemetry: Telemetry, now: number): readonly Telemetry[] {
    const { lookBackMs, maxTelemetryPerSubject, maxSubjects } = this.#settings;
    const subjects = this.#tenants.get(tenantId) ?? new Map<string, Telemetry[]>();
    this.#tenants.set(tenantId, subjects);
    const key = JSON.stringify([telemetry.kind, telemetry.subject]);
    const window = [...(subjects.get(key) ?? []), telemetry]
      .filter(({ time }) => now - Date.parse(time) < lookBackMs)
      .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
      .slice(-maxTelemetryPerSubject);
    subjects.delete(key);
    subjects.set(key, window);
    if (subjects.size > maxSubjects) subjects.delete(subjects.keys().next().value!);
    return window;
  }
}
