import type { AuditEvent } from '@tallystick/event';
import { AuditEmitter } from '../emitter/emitter.ts';
import type { AuditEmitterConfig } from '../emitter/options.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import { WireRedactor } from '../redaction/wire-redactor.ts';
import { MemoryTransport } from '../transport/memory.ts';

/** An emitter for tests of code that emits events. Its events are checked and encoded as usual, and no service is needed. */
export interface TestAudit<X extends AnyTaxonomy = undefined, D extends string | undefined = undefined> {
  readonly emitter: AuditEmitter<X, D>;
  readonly transport: MemoryTransport;
  /**
   * All events emitted so far, in the wire form in which they would be sent: without the secrets that redaction removes. An event is
   * in the list as soon as `emit()` returns.
   */
  readonly events: readonly AuditEvent[];
  /** Empties the list of events. */
  clear(): void;
}

/**
 * Creates an emitter for tests.
 *
 * @example
 * const audit = createTestAudit();
 * refund(order, audit.emitter);
 * assertEmitted(audit, { event_type: 'order.refunded', tenant_id: 'acme' });
 */
export function createTestAudit<
  const X extends AnyTaxonomy = undefined,
  D extends string | undefined = undefined,
>(config: Omit<AuditEmitterConfig<X, D>, 'transport'> = {}): TestAudit<X, D> {
  const transport = new MemoryTransport();
  const events: AuditEvent[] = [];
  const redactor = config.redaction === false ? undefined : new WireRedactor(config.redaction ?? {});
  const emitter = new AuditEmitter<X, D>(
    { service: 'test', activeTrace: () => undefined, flushOnExit: false, ...config, transport },
    { tap: ({ text }) => events.push(JSON.parse(redactor?.redact(text) ?? text) as AuditEvent) },
  );
  return {
    emitter,
    transport,
    events,
    clear: () => {
      events.length = 0;
    },
  };
}
