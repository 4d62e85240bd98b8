import type { Clock } from '../clock.ts';
import { Counters } from '../delivery/counters.ts';
import { Delivery } from '../delivery/delivery.ts';
import { MemoryBuffer } from '../delivery/memory-buffer.ts';
import type { Outbox } from '../delivery/outbox.ts';
import { SequenceTracker } from '../delivery/sequence-tracker.ts';
import type { ReportError } from '../errors.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import { AuditMetrics } from '../observe/metrics.ts';
import { redactEvents } from '../redaction/redact-events.ts';
import { WireRedactor } from '../redaction/wire-redactor.ts';
import { readSpoolOptions } from '../spool/options.ts';
import { SpoolOutbox } from '../spool/spool-outbox.ts';
import { httpTransport } from '../transport/http.ts';
import type { Transport } from '../transport/transport.ts';
import { unconfiguredTransport } from '../transport/unconfigured-transport.ts';
import { SpoolDeadLetters } from './dead-letters.ts';
import type { AuditEmitterConfig, EmitterLimits } from './options.ts';

export interface PipelineParts {
  readonly limits: EmitterLimits;
  readonly service: string;
  readonly producerId: string;
  readonly clock: Clock;
  readonly report: ReportError;
}

export interface Pipeline {
  readonly delivery: Delivery;
  readonly metrics: AuditMetrics;
  readonly deadLetters: SpoolDeadLetters;
}

/** Connects the parts of an emitter behind `emit()`: memory, spool, redaction, transport and metrics. */
export function openPipeline(
  config: AuditEmitterConfig<AnyTaxonomy>,
  { limits, service, producerId, clock, report }: PipelineParts,
): Pipeline {
  const sequences = new SequenceTracker(producerId);
  const counters = new Counters();
  const redaction = config.redaction ?? {};
  const redactor = redaction === false ? undefined : new WireRedactor(redaction);
  const memory = new MemoryBuffer({ events: limits.bufferSize, bytes: limits.maxBufferBytes }, sequences);
  const spool =
    config.spool === undefined
      ? undefined
      : new SpoolOutbox(readSpoolOptions(config.spool), { memory, sequences, clock, redaction, report });
  const outbox: Outbox = spool ?? memory;
  const now = () => clock.now();
  const failing = () => delivery.failing;
  const metrics = new AuditMetrics({ service, capacity: limits.bufferSize, counters, outbox, failing, now });
  const delivery: Delivery = new Delivery(
    { ...limits, service, ephemeral: config.ephemeral === true },
    {
      sequences,
      outbox,
      counters,
      clock,
      report,
      transport: config.transport ?? transportFrom(process.env),
      random: config.random ?? Math.random,
      redact: async (events) => {
        if (redactor !== undefined) await redactEvents(events, redactor);
      },
      onSend: (seconds) => metrics.observeSend(seconds),
    },
  );
  return { delivery, metrics, deadLetters: new SpoolDeadLetters(spool?.deadLetters, delivery, clock) };
}

function transportFrom({ TALLYSTICK_URL: url, TALLYSTICK_API_KEY: apiKey }: NodeJS.ProcessEnv): Transport {
  if (!url) return unconfiguredTransport();
  return httpTransport(apiKey ? { url, apiKey } : { url });
}
