import { z } from 'zod';
import type { Detection, Telemetry } from '../platform/detection.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import { readMessage } from '../platform/intake.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import { type Message, RejectedMessage } from '../platform/topics.ts';
import { afterwards } from '../platform/unit-of-work.ts';
import { type Finding, observedKinds, type Rule, rules } from './rules.ts';
import { TelemetryWindow } from './telemetry-window.ts';

/** Telemetry of the future would stay in the look-back and hide what comes. */
const maxAheadMs = 5 * 60_000;

const telemetryForm = z.object({
  time: z.iso.datetime({ offset: true }),
  kind: z.string().min(1).max(100),
  subject: z.string().min(1).max(300),
  trusted: z.boolean(),
  measures: z.record(z.string().max(100), z.number()).default({}),
  attributes: z.record(z.string().max(100), z.string().max(1_000)).default({}),
});

/** When a rule last fired for a subject. */
export interface Firing {
  readonly fired_at: number;
}

/** Evaluates rules about attacks on models, sensors and their suppliers over the telemetry of each tenant. */
export class AtlasDetection implements Service {
  readonly name = 'atlas-detection';
  readonly #parts: ServiceParts;
  readonly #window: TelemetryWindow;
  readonly #firings: Documents<Firing>;
  readonly #recorder: Recorder;
  #unsubscribe: () => Promise<void> = async () => {};

  /** @param parts `firings` remembers when rules fired; in memory by default */
  constructor(parts: ServiceParts & { readonly firings?: Documents<Firing> | undefined }) {
    this.#parts = parts;
    this.#window = new TelemetryWindow(parts.settings.atlas);
    this.#firings = parts.firings ?? new MemoryDocuments({ keep: parts.settings.memory.documentsPerTenant });
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#parts.topics.subscribe('telemetry.raw', this.name, (message) =>
      this.#handle(message),
    );
  }

  async stop(): Promise<void> {
    await this.#unsubscribe();
  }

  async #handle({ lineage, value }: Message<Telemetry>): Promise<void> {
    const { clock, settings, tenants } = this.#parts;
    const telemetry = readMessage(
      {
        tenants,
        recorder: this.#recorder,
        eventType: 'atlas.detection_fired',
        lineage,
        what: 'telemetry',
        malformedCode: 'TELEMETRY_MALFORMED',
      },
      () => readTelemetry(value, clock.now()),
    );
    if (!observedKinds.has(telemetry.kind)) return;
    const window = this.#window.with(lineage.tenantId, telemetry, clock.now());
    if (window.length === 0) return;
    for (const rule of rules.filter(({ kind }) => kind === telemetry.kind)) {
      const finding = rule.evaluate(window, settings.atlas.rules);
      if (finding !== undefined) await this.#fire(lineage, rule, finding, window);
    }
    // Work that fails is done again. Telemetry that it had kept would count twice.
    afterwards(() => this.#window.keep(lineage.tenantId, telemetry, window));
  }

  async #fire(lineage: Lineage, rule: Rule, finding: Finding, window: readonly Telemetry[]): Promise<void> {
    const { clock, ids, settings, topics } = this.#parts;
    const { lookBackMs, untrustedFactor, safetyFloor } = settings.atlas;
    const { subject, time } = window.at(-1)!;
    const firingId = JSON.stringify([rule.name, subject]);
    const last = await this.#firings.get(lineage.tenantId, firingId);
    if (last !== undefined && clock.now() - last.fired_at < lookBackMs) return;

    const isTrusted = window.every(({ trusted }) => trusted);
    const corrected = isTrusted ? finding.confidence : finding.confidence * untrustedFactor;
    const confidence = round(rule.safety ? Math.max(corrected, safetyFloor) : corrected);
    const detection: Detection = {
      detection_id: ids.next('detection'),
      tenant_id: lineage.tenantId,
      rule: rule.name,
      techniques: rule.techniques,
      subject,
      confidence,
      time,
      evidence: finding.evidence,
    };
    const fired = this.#recorder.emit('atlas.detection_fired', lineage, {
      severity: rule.safety ? 'critical' : 'warning',
      targetType: 'subject',
      targetId: subject,
      context: {
        techniques_identified: [...rule.techniques],
        detection_id: detection.detection_id,
        evidence: [...finding.evidence],
        telemetry_considered: window.length,
        telemetry_trusted: isTrusted,
      },
      decision: {
        decision_type: 'detection',
        classification: rule.name,
        confidence,
        confidence_basis: basisOf(finding.confidence, isTrusted, rule.safety, settings.atlas),
        reasoning_summary: `${rule.name} for ${subject}: ${finding.evidence.join('; ')}`,
      },
      outcome: { outcome_status: 'success', action_taken: 'published', action_target: 'atlas.detections' },
    });
    await topics.publish('atlas.detections', {
      key: detection.detection_id,
      lineage: after(lineage, fired),
      value: detection,
    });
    // A crash before this line lets the rule fire again for the same telemetry, which is better than not at all.
    await this.#firings.put(lineage.tenantId, firingId, { fired_at: clock.now() });
  }
}

function readTelemetry(value: unknown, now: number): Telemetry {
  const telemetry = telemetryForm.parse(value);
  if (Date.parse(telemetry.time) > now + maxAheadMs) {
    throw new RejectedMessage('TELEMETRY_AHEAD', 'the time of the telemetry lies in the future');
  }
  return telemetry;
}

function basisOf(
  found: number,
  isTrusted: boolean,
  isSafety: boolean,
  { untrustedFactor, safetyFloor }: { untrustedFactor: number; safetyFloor: number },
): string {
  const parts = [`the rule's confidence ${found}`];
  if (!isTrusted) parts.push(`× ${untrustedFactor} for untrusted telemetry`);
  if (isSafety) parts.push(`at least ${safetyFloor} because the rule is about safety`);
  return parts.join(', ');
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
