import { uuidv7 } from '@tallystick/event';
import { httpTransport } from '../transport/http.ts';
import { nowhere } from '../transport/nowhere.ts';
import type { Transport } from '../transport/transport.ts';

type Environment = { readonly [name: string]: string | undefined };

export function resolveService(given: string | undefined, env: Environment): string {
  return given || env.TALLYSTICK_SERVICE || env.OTEL_SERVICE_NAME || 'unknown_service:node';
}

export function resolveTransport(env: Environment): Transport {
  const { TALLYSTICK_URL: url, TALLYSTICK_API_KEY: apiKey } = env;
  if (!url) return nowhere();
  return httpTransport(apiKey ? { url, apiKey } : { url });
}

export function newProducerId(now: number): string {
  return uuidv7(now);
}
