import { LogError } from '@tallystick/log';
import { ServerError, type ServiceObserver } from '@tallystick/server';
import type { Terminal } from '../terminal/terminal.ts';
import { withoutRepetition } from '../terminal/without-repetition.ts';

/** An observer that prints a warning when background work of the service fails. */
export function backgroundWarnings(terminal: Pick<Terminal, 'warn'>, now: () => number): ServiceObserver {
  const warn = withoutRepetition((message) => terminal.warn(message), now);
  return { onBackgroundError: (what, error) => warn(`${what}: ${describeSafely(error)}`) };
}

/** Prints only messages that this project writes: a message of the database may quote a row, and with it an event. */
function describeSafely(error: unknown): string {
  if (error instanceof ServerError || error instanceof LogError) return `${error.message} (${error.code})`;
  const { name, code } = Object(error) as { readonly name?: string; readonly code?: string };
  return `failed with ${name ?? typeof error}${code === undefined ? '' : ` (${code})`}`;
}
