import { CliError } from '../../errors.ts';
import type { ProcessContext } from '../../process-context.ts';
import { age } from '../options/option-values.ts';

/**
 * An age in milliseconds: from the command line, else from the environment.
 *
 * @throws {CliError} `USAGE` if the environment has a value that is not an age
 */
export function ageSetting(
  given: number | undefined,
  name: string,
  env: ProcessContext['env'],
): number | undefined {
  const value = env[name];
  if (given !== undefined || !value) return given;
  try {
    return age(value);
  } catch {
    throw new CliError('USAGE', `${name} must be an age, such as 30d, 12h or 5m`);
  }
}
