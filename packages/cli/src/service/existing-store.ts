import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors.ts';

/**
 * Checks that a directory holds an embedded store. To open a directory without one would create a store.
 *
 * @throws {CliError} `USAGE`
 */
export function requireStore(directory: string): void {
  if (existsSync(join(directory, 'postgres'))) return;
  const hint = 'check the path; tally emit and tally import create a store';
  throw new CliError('USAGE', `there is no store in ${directory}`, { hint });
}
