import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The span under which something happens. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

interface OpenTelemetryApi {
  readonly trace: { getActiveSpan(): { spanContext(): TraceContext } | undefined };
  isSpanContextValid(context: TraceContext): boolean;
}

/**
 * Finds the active OpenTelemetry span, where the application has installed OpenTelemetry; elsewhere there is never
 * one. The API is an optional peer, so it is looked for when an emitter is made and not imported.
 */
export function openTelemetryTrace(
  load: (name: string) => unknown = requireFrom(import.meta.url),
): () => TraceContext | undefined {
  let api: OpenTelemetryApi;
  try {
    api = load('@opentelemetry/api') as OpenTelemetryApi;
  } catch {
    return () => undefined;
  }
  return () => {
    const context = api.trace.getActiveSpan()?.spanContext();
    return context !== undefined && api.isSpanContextValid(context) ? context : undefined;
  };
}

/** @param address a module's; bundled as CommonJS it has none, and what it needs stands where the process was started */
export function requireFrom(address: string | undefined): (name: string) => unknown {
  return (name) => createRequire(address ?? join(process.cwd(), 'bundle.js'))(name);
}
