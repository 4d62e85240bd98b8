/**
 * Exit codes of a hook. Both agents document 2 as a denial, and take every other failure for permission, so nothing that goes wrong
 * before a call may end with another code.
 */
export const hookExitCodes = Object.freeze({
  /** The agent goes on; before a call it reads the answer on stdout. */
  ok: 0,
  /** The end of a call could not be recorded. The call has happened, so nothing can be denied. */
  notRecorded: 1,
  denied: 2,
});

/** The exit code of a hook for that of a command line. */
export function hookExitCode(exitCode: number): number {
  return exitCode === hookExitCodes.ok || exitCode === hookExitCodes.notRecorded
    ? exitCode
    : hookExitCodes.denied;
}
