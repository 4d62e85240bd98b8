import { type Transport, TransportError } from './transport.ts';

let warned = false;

/** What is wrong is the configuration, not the batch. */
export class NotConfigured extends TransportError {
  constructor() {
    super('no transport is configured', { retryable: false });
  }
}

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
      throw new NotConfigured();
    },
    async close() {},
  };
}
