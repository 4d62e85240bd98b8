import { createAuditEmitter } from '@tallystick/sdk';
import type { AnyEmitter } from '@tallystick/sdk/gate';
import { MemoryTransport } from '@tallystick/sdk/memory';

/**
 * An emitter for a gate of a platform that records nothing. A gate waits until its intent is recorded, so it needs one that
 * acknowledges. The events stay in memory, and gated actions are rare.
 */
export function silentEmitter(): AnyEmitter {
  return createAuditEmitter({
    service: 'response-agent',
    transport: new MemoryTransport(),
    flushOnExit: false,
    flushIntervalMs: 0,
  });
}
