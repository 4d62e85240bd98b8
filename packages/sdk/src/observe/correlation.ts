import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The trace and span during which an event is emitted. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

interface OpenTelemetryApi {
  readonly trace: { getActiveSpan(): { spanContext(): TraceContext } | undefined };
  isSpanContextValid(context: TraceContext): boolean;
}

/**
 * A function that gives the active OpenTelemetry span, or `undefined` if there is none or OpenTelemetry is not installed.
 * The API is an optional peer dependency, so it is loaded when an emitter is created and not imported.
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

/**
 * A `require` that resolves names as the module with this URL would.
 *
 * @param moduleUrl `undefined` in a CommonJS bundle; names are then resolved from the working directory
 */
export function requireFrom(moduleUrl: string | undefined): (name: string) => unknown {
  return (name) => createRequire(moduleUrl ?? join(process.cwd(), 'bundle.js'))(name);
}
