import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors.ts';

export function hasStore(directory: string): boolean {
  return existsSync(join(directory, 'postgres'));
}

/**
 * Checks that a directory holds an embedded store. To open a directory without one would create a store.
 *
 * @throws {CliError} `USAGE`
 */
export function requireStore(directory: string): void {
  if (hasStore(directory)) return;
  const hint =
    'check the path; tally emit, tally import, tally dev and tally serve --create-admin-key create a store';
  throw new CliError('USAGE', `there is no store in ${directory}`, { hint });
}
