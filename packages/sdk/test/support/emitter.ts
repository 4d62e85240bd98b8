import {
  type AuditEmitter,
  type AuditEmitterConfig,
  type AuditError,
  createAuditEmitter,
} from '../../src/index.ts';
import { MemoryTransport, type MemoryTransportOptions } from '../../src/transport/memory.ts';
import { FakeClock } from './clock.ts';

/** An emitter with a memory transport and a fake clock. */
export function testEmitter(
  config: AuditEmitterConfig = {},
  intercept?: MemoryTransportOptions['intercept'],
): { emitter: AuditEmitter; transport: MemoryTransport; clock: FakeClock; errors: AuditError[] } {
  const clock = new FakeClock();
  const transport = new MemoryTransport(intercept === undefined ? {} : { intercept });
  const errors: AuditError[] = [];
  const emitter = createAuditEmitter({
    service: 'checkout',
    transport,
    clock,
    random: () => 0.5,
    onError: (error) => errors.push(error),
    flushOnExit: false,
    activeTrace: () => undefined,
    ...config,
  });
  return { emitter, transport, clock, errors };
}
