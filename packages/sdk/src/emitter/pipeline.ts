import type { Clock } from '../clock.ts';
import { MemoryBuffer } from '../delivery/buffer.ts';
import { Counters } from '../delivery/counters.ts';
import { Delivery } from '../delivery/delivery.ts';
import type { Entry, Outbox } from '../delivery/entry.ts';
import { Ledger } from '../delivery/ledger.ts';
import type { Report } from '../delivery/settlement.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import { AuditMetrics } from '../observe/metrics.ts';
import { prepare } from '../redaction/prepare.ts';
import { Redactor } from '../redaction/redactor.ts';
import { spoolDefaults } from '../spool/options.ts';
import { SpoolOutbox } from '../spool/spool-outbox.ts';
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
): { delivery: Delivery; metrics: AuditMetrics } {
  const ledger = new Ledger(producerId);
  const counters = new Counters();
  const redactor = config.redaction === false ? undefined : new Redactor(config.redaction ?? {});
  const ready = async (entries: readonly Entry[]) => {
    if (redactor !== undefined) await prepare(entries, redactor);
  };
  const memory = new MemoryBuffer({ events: sizes.bufferSize, bytes: sizes.maxBufferBytes }, ledger);
  const outbox: Outbox =
    config.spool === undefined
      ? memory
      : new SpoolOutbox(
          { ...spoolDefaults, ...config.spool },
          { memory, ledger, clock, prepare: ready, report },
        );
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
      prepare: ready,
      onSend: (seconds) => metrics.observeSend(seconds),
    },
  );
  return { delivery, metrics };
}
