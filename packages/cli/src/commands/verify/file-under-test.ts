import { CliError } from '../../errors.ts';
import type { GivenCheckpoint } from '../../trust/given-checkpoints.ts';

/** A file that the user wants to have verified, and what the user said about it. */
export interface FileUnderTest {
  /** The name of the file as the user wrote it; `-` for standard input. */
  readonly file: string;
  /** Checkpoints from the command line. */
  readonly given: readonly GivenCheckpoint[];
  /** The tenant that the user expects. */
  readonly tenant: string | undefined;
}

/** @throws {CliError} `USAGE` if the file is of another tenant, or a given checkpoint is of another log */
export function refuseOtherLog(
  log: { readonly origin: string; readonly tenantId: string },
  { file, given, tenant }: FileUnderTest,
): void {
  if (tenant !== undefined && log.tenantId !== tenant)
    throw new CliError('USAGE', `${file} is of ${log.tenantId}, not of ${tenant}`);
  const other = given.find((checkpoint) => checkpoint.origin !== log.origin);
  if (other !== undefined) throw ofOtherLog(other);
}

export function ofOtherLog({ file, origin }: GivenCheckpoint): CliError {
  return new CliError('USAGE', `${file} is a checkpoint of ${origin}, which was not verified`);
}
