import type { Health, Readiness } from '@tallystick/protocol';
import { errorOfResponse } from '../errors.ts';
import type { CallOptions, Sender } from '../sender.ts';

/** Whether the service runs, and whether it can chain events. Needs no API key. */
export interface HealthResource {
  /** Resolves if the process answers. */
  get(options?: CallOptions): Promise<Health>;
  /** Whether events can be chained. Resolves also where they can not, and says why. */
  ready(options?: CallOptions): Promise<Readiness>;
}

export function healthResource(sender: Sender): HealthResource {
  return {
    get: async ({ signal } = {}) => await sender.json({ path: 'health', signal }),
    ready: async ({ signal } = {}) =>
      await sender.send({ path: 'ready', expected: [503], signal }, async (response) => {
        const text = await response.clone().text();
        const isReadiness = text.includes('"stopped_chains"');
        // A proxy answers 503 too, where the service is away.
        if (!response.ok && !isReadiness) throw await errorOfResponse(response, sender.name);
        return sender.parse<Readiness>(text);
      }),
  };
}
