import { type Transport, TransportError } from './transport.ts';

let warned = false;

/** Stands in where nobody said where events go: refuses them all, so that they are counted as lost and said to be. */
export function nowhere(): Transport {
  return {
    async send() {
      if (!warned) {
        warned = true;
        process.emitWarning('Audit events go nowhere: no transport is given, and TALLYSTICK_URL is not set', {
          code: 'TALLYSTICK_NOT_CONFIGURED',
        });
      }
      throw new TransportError('no transport is configured', { retryable: false });
    },
    async close() {},
  };
}
