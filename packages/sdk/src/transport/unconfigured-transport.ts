import { type Transport, TransportError } from './transport.ts';

let warned = false;

/** The failure of {@link unconfiguredTransport}. The configuration is at fault, and not the batch. */
export class NotConfiguredError extends TransportError {
  constructor() {
    super('no transport is configured', { retryable: false });
  }
}

/**
 * The transport of an emitter for which neither a transport nor an address is configured. It refuses every batch, so that the
 * events are counted and reported as lost. The first batch also causes a process warning.
 */
export function unconfiguredTransport(): Transport {
  return {
    async send() {
      if (!warned) {
        warned = true;
        process.emitWarning(
          'Audit events are lost: the emitter has no transport, and TALLYSTICK_URL is not set',
          { code: 'TALLYSTICK_NOT_CONFIGURED' },
        );
      }
      throw new NotConfiguredError();
    },
    async close() {},
  };
}
