import { quotableTitle } from '../injection/quotable-title.ts';
import type { Alert, RawAlert } from '../platform/alert.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import { readMessage } from '../platform/intake.ts';
import { investigationIdOf } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import { taxonomyVersions } from '../platform/techniques.ts';
import type { Message } from '../platform/topics.ts';
import { parseAlert } from './parse-alert.ts';

/** When an alert was last published. */
export interface SeenAlert {
  readonly published_at: number;
}

/** Reads `alerts.raw` and publishes each alert in one form, with its entities, on `alerts.normalized`. */
export class EntityParser implements Service {
  readonly name = 'entity-parser';
  readonly #parts: ServiceParts;
  readonly #seen: Documents<SeenAlert>;
  readonly #recorder: Recorder;
  #unsubscribe: () => Promise<void> = async () => {};

  /** @param parts `seen` remembers the alerts that were published; in memory by default */
  constructor(parts: ServiceParts & { readonly seen?: Documents<SeenAlert> | undefined }) {
    this.#parts = parts;
    this.#seen = parts.seen ?? new MemoryDocuments({ keep: parts.settings.memory.documentsPerTenant });
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#parts.topics.subscribe('alerts.raw', this.name, (message) =>
      this.#handle(message),
    );
  }

  async stop(): Promise<void> {
    await this.#unsubscribe();
  }

  async #handle({ lineage, value }: Message<RawAlert>): Promise<void> {
    const startedAt = this.#parts.clock.now();
    const alert = this.#parse(lineage, value);
    const ofAlert: Lineage = {
      ...lineage,
      alertId: alert.alert_id,
      investigationId: investigationIdOf(alert.alert_id),
    };
    if (await this.#isRepetition(alert)) {
      this.#recorder.emit('alert.classified', ofAlert, {
        targetType: 'alert',
        targetId: alert.alert_id,
        decision: {
          decision_type: 'intake',
          classification: 'duplicate',
          confidence: 1,
          reasoning_summary: `${alert.source} alert ${alert.source_alert_id} was published before; it is not published again`,
        },
        outcome: { outcome_status: 'blocked', action_taken: 'dropped', error_code: 'ALERT_REPEATED' },
      });
      return;
    }

    const classified = this.#recorder.emit(
      'alert.classified',
      ofAlert,
      this.#classification(alert, startedAt),
    );
    const lineageOfSigns = after(ofAlert, classified);
    if (alert.injection.length > 0) {
      this.#recorder.emit('injection.detected', lineageOfSigns, injectionEvent(alert));
    }
    await this.#parts.topics.publish('alerts.normalized', {
      key: alert.alert_id,
      lineage: lineageOfSigns,
      value: alert,
    });
    // A crash before this line publishes the alert again. Its id is the same, so later services notice.
    await this.#seen.put(alert.tenant_id, alert.alert_id, { published_at: this.#parts.clock.now() });
  }

  #parse(lineage: Lineage, raw: RawAlert): Alert {
    const { tenants, settings } = this.#parts;
    return readMessage(
      {
        tenants,
        recorder: this.#recorder,
        eventType: 'alert.classified',
        lineage,
        what: 'alert',
        malformedCode: 'ALERT_MALFORMED',
      },
      () => parseAlert(lineage.tenantId, raw, settings.alerts),
    );
  }

  async #isRepetition({ tenant_id, alert_id }: Alert): Promise<boolean> {
    const seen = await this.#seen.get(tenant_id, alert_id);
    const { clock, settings } = this.#parts;
    return seen !== undefined && clock.now() - seen.published_at < settings.alerts.duplicateWindowMs;
  }

  #classification(alert: Alert, startedAt: number) {
    const counts: Record<string, number> = {};
    for (const { kind } of alert.entities) counts[kind] = (counts[kind] ?? 0) + 1;
    const fromFields = alert.entities.filter(({ confidence }) => confidence === 1).length;
    return {
      targetType: 'alert',
      targetId: alert.alert_id,
      entityIds: alert.entities.map(({ id }) => id),
      context: {
        ...taxonomyVersions,
        techniques_identified: [...alert.techniques],
        alert_source: alert.source,
        alert_title: quotableTitle(alert.title),
        source_alert_id: alert.source_alert_id,
        entities_by_kind: counts,
        entities_from_fields: fromFields,
        entities_from_text: alert.entities.length - fromFields,
      },
      decision: {
        decision_type: 'intake',
        classification: 'valid',
        confidence: 1,
        severity_assigned: alert.severity,
        reasoning_summary: `${alert.source} alert with severity ${alert.severity} and ${alert.entities.length} entities`,
      },
      outcome: {
        outcome_status: 'success' as const,
        action_taken: 'published',
        action_target: 'alerts.normalized',
        duration_ms: this.#parts.clock.now() - startedAt,
      },
    };
  }
}

function injectionEvent({ alert_id, injection }: Alert) {
  return {
    severity: 'warning' as const,
    targetType: 'alert',
    targetId: alert_id,
    context: {
      detection_count: injection.length,
      // The text itself is left out: a model that reads the trail could follow it.
      detections: injection.map(({ pattern, where, encoding, weight }) => ({
        pattern,
        where,
        encoding,
        weight,
      })),
    },
    decision: {
      decision_type: 'injection',
      classification: 'suspicious',
      confidence: Math.max(...injection.map(({ weight }) => weight)),
      confidence_basis: 'the highest weight of a pattern that matched',
    },
    outcome: { outcome_status: 'success' as const, action_taken: 'marked' },
  };
}
