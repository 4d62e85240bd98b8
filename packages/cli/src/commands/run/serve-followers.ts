import type { AuditServiceOptions } from '@tallystick/server';
import type { Command } from 'commander';
import type { ProcessContext } from '../../process-context.ts';
import { age } from '../options/option-values.ts';
import { ageSetting } from './age-setting.ts';

/** Options of `tally serve` about followers, in milliseconds. */
export interface FollowerOptions {
  readonly intentTimeout?: number;
  readonly intentGrace?: number;
  readonly producerSilence?: number;
  readonly followerLag?: number;
}

export function addFollowerOptions(command: Command): Command {
  return command
    .option(
      '--intent-timeout <age>',
      'how long an intent has that names no deadline, or waits for an approval that the service can not see; or ' +
        'TALLYSTICK_INTENT_TIMEOUT (default: 24h)',
      age,
    )
    .option(
      '--intent-grace <age>',
      'how long after the deadline the end of an action may still arrive; or TALLYSTICK_INTENT_GRACE (default: 1m)',
      age,
    )
    .option(
      '--producer-silence <age>',
      'how long a producer is silent before nothing more is expected of it; or TALLYSTICK_PRODUCER_SILENCE (default: 2h)',
      age,
    )
    .option(
      '--follower-lag <age>',
      'call the service degraded if a follower is further behind; or TALLYSTICK_FOLLOWER_LAG (default: only show the lag)',
      age,
    );
}

/**
 * The options from the command line, then from the environment.
 *
 * @throws {CliError} `USAGE` if the environment has a value that is not an age
 */
export function followerSettings(
  options: FollowerOptions,
  { env }: Pick<ProcessContext, 'env'>,
): Pick<AuditServiceOptions, 'openIntents'> & { readonly maxFollowerLagMs: number | undefined } {
  const setting = (given: number | undefined, name: string) => ageSetting(given, name, env);
  return {
    openIntents: {
      timeoutMs: setting(options.intentTimeout, 'TALLYSTICK_INTENT_TIMEOUT'),
      graceMs: setting(options.intentGrace, 'TALLYSTICK_INTENT_GRACE'),
      silentMs: setting(options.producerSilence, 'TALLYSTICK_PRODUCER_SILENCE'),
    },
    maxFollowerLagMs: setting(options.followerLag, 'TALLYSTICK_FOLLOWER_LAG'),
  };
}
