import type { Clock } from '@tallystick/sdk';
import type { Alert } from '../platform/alert.ts';
import type { Detection } from '../platform/detection.ts';
import type { Documents } from '../platform/documents.ts';
import type { Exposure } from '../platform/exposure.ts';
import type { Settings } from '../platform/settings.ts';

/** At most this many exposures, and this many detections, are connected with one alert. */
const maxMatches = 10;

/** What the platform knows around an alert: exposures of the hosts that it names, and detections of what it names. */
export class Surroundings {
  readonly #exposures: Documents<Exposure>;
  readonly #detections: Documents<Detection>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #settings: Settings['investigation'];

  constructor(parts: {
    readonly exposures: Documents<Exposure>;
    readonly detections: Documents<Detection>;
    readonly clock: Pick<Clock, 'now'>;
    readonly settings: Settings['investigation'];
  }) {
    this.#exposures = parts.exposures;
    this.#detections = parts.detections;
    this.#clock = parts.clock;
    this.#settings = parts.settings;
  }

  keepExposure(exposure: Exposure): Promise<void> {
    return this.#exposures.put(exposure.tenant_id, exposure.exposure_key, exposure);
  }

  keepDetection(detection: Detection): Promise<void> {
    return this.#detections.put(detection.tenant_id, detection.detection_id, detection);
  }

  async exposuresOf(alert: Alert): Promise<Exposure[]> {
    const hosts = alert.entities
      .filter(({ kind }) => kind === 'host')
      .map(({ value }) => value.split('.')[0]!);
    const all = await this.#exposures.list(alert.tenant_id);
    const isAffected = (asset: string) => hosts.includes(asset.toLowerCase().split('.')[0]!);
    return all.filter(({ state, asset }) => state === 'open' && isAffected(asset)).slice(0, maxMatches);
  }

  async detectionsOf(alert: Alert): Promise<Detection[]> {
    const values = new Set(alert.entities.map(({ value }) => value.toLowerCase()));
    const { detectionsOfLastMs, detectionsConsidered } = this.#settings;
    const latest = await this.#detections.latest(alert.tenant_id, detectionsConsidered);
    const recent = latest.filter(({ time }) => this.#clock.now() - Date.parse(time) < detectionsOfLastMs);
    const concerns = ({ subject, techniques }: Detection) =>
      values.has(subject.toLowerCase()) || techniques.some((id) => alert.techniques.includes(id));
    return recent.filter(concerns).slice(0, maxMatches);
  }
}
