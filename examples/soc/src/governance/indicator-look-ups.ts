import type { Alert } from '../platform/alert.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { Message } from '../platform/topics.ts';
import type { ThreatIntelligence } from './indicators.ts';

/** Indicators of one alert that are looked up. */
const maxIndicators = 20;
const indicatorKinds: ReadonlySet<string> = new Set(['ip', 'dns', 'filehash', 'url']);

/** Looks up the indicators of each alert in a threat-intelligence source, and records what the source knows. */
export class IndicatorLookUps {
  readonly #intelligence: ThreatIntelligence;
  readonly #recorder: Recorder;

  constructor(intelligence: ThreatIntelligence, recorder: Recorder) {
    this.#intelligence = intelligence;
    this.#recorder = recorder;
  }

  async enrich({ value: alert, lineage }: Message<Alert>): Promise<void> {
    const indicators = alert.entities.filter(({ kind }) => indicatorKinds.has(kind)).slice(0, maxIndicators);
    for (const { id, kind, value } of indicators) {
      const { reputation, sources } = await this.#intelligence.lookUp({ kind, value });
      if (reputation === 'unknown') continue;
      this.#recorder.emit(
        'ioc.enriched',
        { ...lineage, alertId: alert.alert_id },
        {
          severity: reputation === 'malicious' ? 'warning' : 'info',
          targetType: kind,
          targetId: value,
          entityIds: [id],
          context: { retrieval_sources: [...sources] },
          decision: { decision_type: 'indicator', classification: reputation },
          outcome: { outcome_status: 'success', action_taken: 'looked up' },
        },
      );
    }
  }
}
