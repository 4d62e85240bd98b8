import type { Row } from '../database.ts';

/**
 * What the thread of the application and the thread of PGlite send each other. All of it is plain data that
 * `postMessage` copies.
 */

/** How the thread opens PGlite. */
export interface EngineSetup {
  /** The data directory; without it the data is kept in memory. */
  readonly directory: string | undefined;
  /** Whether a directory without a cluster gets a new one. Otherwise it is an error. */
  readonly create: boolean;
  /** PGlite's WebAssembly, compiled; otherwise the thread compiles it. */
  readonly engine?: WebAssembly.Module | undefined;
}

/** One step of a request. */
export type Step =
  | { readonly text: string; readonly values: readonly unknown[] }
  /** Statements without parameters. */
  | { readonly script: string }
  /** `copy … from stdin` with its rows. */
  | { readonly copy: string; readonly rows: string }
  | { readonly commit: true };

/** Steps that run in order. None runs after the first that fails. Requests run in the order in which they are sent. */
export interface EngineRequest {
  readonly number: number;
  readonly steps: readonly Step[] | 'close';
}

export type EngineMessage =
  | { readonly kind: 'opened' }
  /** The rows of each step. */
  | { readonly kind: 'answer'; readonly number: number; readonly rows: readonly Row[][] }
  | { readonly kind: 'failed'; readonly number: number; readonly error: PlainError }
  /** The engine cannot go on. Its thread stands still until it is ended. */
  | { readonly kind: 'broken'; readonly why: string; readonly systemCode: string | undefined };

/** An error of PGlite. `postMessage` would drop its SQLSTATE. */
export interface PlainError {
  readonly message: string;
  /** `code`, `detail`, `constraint` and so on. */
  readonly fields: Readonly<Record<string, string>>;
}

export function toPlainError(error: unknown): PlainError {
  const fields: Record<string, string> = {};
  if (typeof error === 'object' && error !== null) {
    for (const [name, value] of Object.entries(error)) if (typeof value === 'string') fields[name] = value;
  }
  return { message: error instanceof Error ? error.message : String(error), fields };
}

/** The error in the thread of the application. `sqlState` reads its `code`. */
export function fromPlainError({ message, fields }: PlainError): Error {
  const { stack: _ofTheOtherThread, message: _same, ...rest } = fields;
  return Object.assign(new Error(message), rest);
}
