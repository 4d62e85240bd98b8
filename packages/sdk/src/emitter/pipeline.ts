import type { Clock } from '../clock.ts';
import { MemoryBuffer } from '../delivery/buffer.ts';
import { Counters } from '../delivery/counters.ts';
import { Delivery } from '../delivery/delivery.ts';
import type { Outbox } from '../delivery/entry.ts';
import { Ledger } from '../delivery/ledger.ts';
import type { Report } from '../delivery/settlement.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import { AuditMetrics } from '../observe/metrics.ts';
import { prepare } from '../redaction/prepare.ts';
import { Redactor } from '../redaction/redactor.ts';
import { readSpoolOptions } from '../spool/options.ts';
import { SpoolOutbox } from '../spool/spool-outbox.ts';
import { SpoolDeadLetters } from './dead-letters.ts';
import { resolveTransport } from './environment.ts';
import type { AuditEmitterConfig, EmitterSizes } from './options.ts';

export interface PipelineParts {
  readonly sizes: EmitterSizes;
  readonly service: string;
  readonly producerId: string;
  readonly clock: Clock;
  readonly report: Report;
}

/** Puts together what a configuration asks for: memory, disk, redaction, transport and figures. */
export function openPipeline(
  config: AuditEmitterConfig<AnyTaxonomy>,
  { sizes, service, producerId, clock, report }: PipelineParts,
): { delivery: Delivery; metrics: AuditMetrics; deadLetters: SpoolDeadLetters } {
  const ledger = new Ledger(producerId);
  const counters = new Counters();
  const redaction = config.redaction ?? {};
  const redactor = redaction === false ? undefined : new Redactor(redaction);
  const memory = new MemoryBuffer({ events: sizes.bufferSize, bytes: sizes.maxBufferBytes }, ledger);
  const spool =
    config.spool === undefined
      ? undefined
      : new SpoolOutbox(readSpoolOptions(config.spool), { memory, ledger, clock, redaction, report });
  const outbox: Outbox = spool ?? memory;
  const now = () => clock.now();
  const failing = () => delivery.failing;
  const metrics = new AuditMetrics({ service, capacity: sizes.bufferSize, counters, outbox, failing, now });
  const delivery: Delivery = new Delivery(
    { ...sizes, service },
    {
      ledger,
      outbox,
      counters,
      clock,
      report,
      transport: config.transport ?? resolveTransport(process.env),
      random: config.random ?? Math.random,
      prepare: async (entries) => {
        if (redactor !== undefined) await prepare(entries, redactor);
      },
      onSend: (seconds) => metrics.observeSend(seconds),
    },
  );
  return { delivery, metrics, deadLetters: new SpoolDeadLetters(spool, delivery, clock) };
}
