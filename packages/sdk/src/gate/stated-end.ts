import type { StatedEnd } from './options.ts';

/**
 * Reads how an effect says that it ended. The effect has run by then: a mistake in its statement must neither fail the action nor lose
 * the record of its end. So a member that a record can't have counts as absent, and nothing is thrown.
 */
export function readStatedEnd(given: unknown): StatedEnd {
  try {
    const { status, errorCode, resultDigest, details } = Object(given) as Record<string, unknown>;
    const code = typeof errorCode === 'string' ? textOf(errorCode) : '';
    return {
      ...((status === 'success' || status === 'failure') && { status }),
      ...(code !== '' && { errorCode: code }),
      ...(typeof resultDigest === 'string' && { resultDigest }),
      // Read once: its members may be getters.
      ...(typeof details === 'object' && details !== null && { details: { ...details } }),
    };
  } catch {
    return {};
  }
}

/**
 * The class of an error. Its message may quote arguments or secrets, so it is not recorded. A tool may throw anything, also an
 * object that throws when it is read.
 */
export function nameOf(thrown: unknown): string {
  let name: unknown;
  try {
    name = (thrown as { name?: unknown } | null)?.name;
  } catch {
    return 'Error';
  }
  return (typeof name === 'string' && textOf(name)) || 'Error';
}

/** The text as an `error_code` can be. */
function textOf(given: string): string {
  return given.slice(0, 256).toWellFormed().replaceAll('\0', '');
}
