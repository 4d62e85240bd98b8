import type { Telemetry } from '../platform/detection.ts';
import type { CorpusTelemetry } from './corpus.ts';

const of = (
  name: string,
  kind: string,
  subject: string,
  given: Partial<Pick<Telemetry, 'measures' | 'attributes' | 'trusted'>>,
  time = '2026-11-20T07:55:00Z',
): CorpusTelemetry => ({
  name,
  tenantId: 'acme',
  telemetry: { time, kind, subject, trusted: true, measures: {}, attributes: {}, ...given },
});

/** Telemetry that fires each rule once, ordinary telemetry, and malformed telemetry. */
export const corpusTelemetry: readonly CorpusTelemetry[] = [
  of('labels-flipped', 'training.batch', 'triage-model', {
    measures: { label_flip_ratio: 0.12, loss_shift_sigma: 1 },
  }),
  of('many-distinct-requests', 'inference.request', 'client-77', {
    measures: { count: 1_800, distinct_ratio: 0.97 },
  }),
  of('prompt-with-instructions', 'llm.prompt', 'support-bot', { measures: { injection_score: 0.92 } }),
  of('confidence-drops', 'inference.result', 'line-4-quality', { measures: { confidence_drop: 0.55 } }),
  of('inference-flood', 'inference.load', 'triage-model', {
    measures: { requests_per_second: 900, latency_ms: 300 },
  }),
  of('unsigned-model', 'model.artifact', 'robot-arm-vision', {
    attributes: { signature: 'missing', digest: 'match' },
  }),
  of('night-downloads', 'model.access', 'p.neumann', {
    measures: { downloads: 4 },
    attributes: { off_hours: 'true' },
  }),
  of('analysts-dismiss-all', 'analyst.queue', 'shift-b', {
    measures: { alerts_per_hour: 240, dismissed_ratio: 0.96 },
  }),
  of('one-sensor-deviates', 'sensor.reading', 'press-2-temperature', {
    measures: { deviation_sigma: 7.5, neighbour_deviation_sigma: 0.3 },
    trusted: false,
  }),
  of('supplier-feed-changed', 'partner.feed', 'supplier-9', { attributes: { checksum: 'mismatch' } }),
  of('edge-device-changed', 'edge.attestation', 'edge-12', {
    attributes: { attestation: 'failed' },
    trusted: false,
  }),
  of(
    'edge-device-still-changed',
    'edge.attestation',
    'edge-12',
    { attributes: { attestation: 'failed' } },
    '2026-11-20T07:56:00Z',
  ),
  of('all-sensors-deviate', 'sensor.reading', 'press-3-temperature', {
    measures: { deviation_sigma: 8, neighbour_deviation_sigma: 7 },
  }),
  of('ordinary-batch', 'training.batch', 'quality-model', { measures: { label_flip_ratio: 0.001 } }),
  of('unknown-kind', 'coffee.machine', 'kitchen', { measures: { cups: 12 } }),
  of('no-time', 'training.batch', 'triage-model', {}, 'this morning'),
  of('from-the-future', 'training.batch', 'triage-model', {}, '2126-11-20T07:55:00Z'),
];
