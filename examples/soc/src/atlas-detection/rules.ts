import type { Telemetry } from '../platform/detection.ts';
import type { Settings } from '../platform/settings.ts';

/** What a rule found. */
export interface Finding {
  /** 0 to 1, before it is corrected for untrusted telemetry. */
  readonly confidence: number;
  readonly evidence: readonly string[];
}

/** Looks at the telemetry of one subject of one tenant. */
export interface Rule {
  readonly name: string;
  /** MITRE ATLAS or ATT&CK technique ids. */
  readonly techniques: readonly string[];
  readonly kind: string;
  /** Whether people or machines can come to harm: such a detection is never dismissed for a weak sensor. */
  readonly safety: boolean;
  /** @param window telemetry of `kind` within the look-back, the newest last; never empty */
  evaluate(window: readonly Telemetry[], thresholds: Settings['atlas']['rules']): Finding | undefined;
}

type Evaluate = Rule['evaluate'];

const rule = (
  name: string,
  kind: string,
  techniques: readonly string[],
  evaluate: Evaluate,
  { safety = false } = {},
): Rule => ({ name, kind, techniques, safety, evaluate });

/** All rules, in the order in which they are evaluated. */
export const rules: readonly Rule[] = [
  rule('data-poisoning', 'training.batch', ['AML.T0020'], (window, { dataPoisoning: limit }) => {
    const { label_flip_ratio = 0, loss_shift_sigma = 0 } = newest(window).measures;
    return firstOf([
      exceeds('label_flip_ratio', label_flip_ratio, limit.labelFlipRatio),
      exceeds('loss_shift_sigma', loss_shift_sigma, limit.lossShiftSigma),
    ]);
  }),
  rule('model-extraction', 'inference.request', ['AML.T0024.002'], (window, { modelExtraction: limit }) => {
    const requests = sum(window.map(({ measures }) => measures.count ?? 1));
    const distinct = sum(
      window.map(({ measures }) => (measures.count ?? 1) * (measures.distinct_ratio ?? 0)),
    );
    if (distinct / requests < limit.distinctRatio) return undefined;
    return exceeds('requests in the look-back, nearly all distinct', requests, limit.requests);
  }),
  rule('prompt-injection', 'llm.prompt', ['AML.T0051'], (window, { promptInjection: limit }) => {
    const { injection_score = 0 } = newest(window).measures;
    if (injection_score < limit.score) return undefined;
    return { confidence: Math.min(1, injection_score), evidence: [`injection_score ${injection_score}`] };
  }),
  rule('evasion', 'inference.result', ['AML.T0015'], (window, { evasion: limit }) =>
    exceeds('confidence_drop', newest(window).measures.confidence_drop ?? 0, limit.confidenceDrop),
  ),
  rule(
    'inference-denial-of-service',
    'inference.load',
    ['AML.T0029'],
    (window, { inferenceDenial: limit }) => {
      const { requests_per_second = 0, latency_ms = 0 } = newest(window).measures;
      return firstOf([
        exceeds('requests_per_second', requests_per_second, limit.requestsPerSecond),
        exceeds('latency_ms', latency_ms, limit.latencyMs),
      ]);
    },
  ),
  rule('supply-chain', 'model.artifact', ['AML.T0010'], (window) => {
    const { signature, digest } = newest(window).attributes;
    if (digest === 'mismatch') return { confidence: 0.95, evidence: ['digest mismatch'] };
    return signature === undefined || signature === 'valid'
      ? undefined
      : { confidence: 0.8, evidence: [signature === 'missing' ? 'signature missing' : 'signature invalid'] };
  }),
  rule('insider', 'model.access', ['AML.T0012', 'T1078'], (window, { insider: limit }) => {
    const atNight = window.filter(({ attributes }) => attributes.off_hours === 'true');
    return exceeds(
      'downloads outside working hours',
      sum(atNight.map(({ measures }) => measures.downloads ?? 0)),
      limit.downloads,
    );
  }),
  rule('alert-fatigue', 'analyst.queue', ['AML.T0046'], (window, { alertFatigue: limit }) => {
    const { alerts_per_hour = 0, dismissed_ratio = 0 } = newest(window).measures;
    if (dismissed_ratio < limit.dismissedRatio) return undefined;
    return exceeds('alerts_per_hour, nearly all dismissed', alerts_per_hour, limit.alertsPerHour);
  }),
  rule(
    'sensor-spoofing',
    'sensor.reading',
    ['T0856'],
    (window, { sensorSpoofing: limit }) => {
      const { deviation_sigma = 0, neighbour_deviation_sigma = 0 } = newest(window).measures;
      // A sensor that deviates together with its neighbours measures something real.
      if (neighbour_deviation_sigma > limit.neighbourSigma) return undefined;
      return exceeds('deviation_sigma, neighbours do not deviate', deviation_sigma, limit.deviationSigma);
    },
    { safety: true },
  ),
  rule('partner-integrity', 'partner.feed', ['T1199'], (window, { partnerIntegrity: limit }) => {
    const { measures, attributes } = newest(window);
    if (attributes.checksum === 'mismatch') return { confidence: 0.9, evidence: ['checksum mismatch'] };
    return exceeds('schema_drift_ratio', measures.schema_drift_ratio ?? 0, limit.schemaDriftRatio);
  }),
  rule(
    'edge-compromise',
    'edge.attestation',
    ['T1542'],
    (window) =>
      newest(window).attributes.attestation === 'failed'
        ? { confidence: 0.9, evidence: ['attestation failed'] }
        : undefined,
    { safety: true },
  ),
];

/** The kinds of telemetry that a rule reads. Others are not kept. */
export const observedKinds: ReadonlySet<string> = new Set(rules.map(({ kind }) => kind));

/** Confidence 0.6 at the threshold, 0.95 at twice the threshold and beyond. */
function exceeds(name: string, value: number, threshold: number): Finding | undefined {
  if (value < threshold) return undefined;
  const confidence = Math.round(Math.min(0.95, 0.6 + 0.35 * (value / threshold - 1)) * 100) / 100;
  return { confidence, evidence: [`${name} ${value}, threshold ${threshold}`] };
}

/** The finding with the highest confidence, with the evidence of all. */
function firstOf(findings: readonly (Finding | undefined)[]): Finding | undefined {
  const found = findings.filter((finding) => finding !== undefined);
  if (found.length === 0) return undefined;
  return {
    confidence: Math.max(...found.map(({ confidence }) => confidence)),
    evidence: found.flatMap(({ evidence }) => evidence),
  };
}

function newest(window: readonly Telemetry[]): Telemetry {
  return window.at(-1)!;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
