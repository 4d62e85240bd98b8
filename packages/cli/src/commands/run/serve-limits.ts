import type { HttpOptions } from '@tallystick/server/http';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../../errors.ts';
import type { ProcessContext } from '../../process-context.ts';
import { rate } from '../options/option-values.ts';

type Rate = ReturnType<typeof rate>;

/** Options of `tally serve` that limit requests and name the web pages that may call the API. */
export interface LimitOptions {
  readonly rateLimit?: Rate;
  readonly rateLimitKey?: readonly (readonly [id: string, rate: Rate])[];
  readonly rateLimitAddress?: Rate;
  readonly trustedProxy?: readonly string[];
  readonly corsOrigin?: readonly string[];
}

/** The default for addresses without a valid credential: enough for the pages of the console, and for an application with a wrong key. */
const defaultAddressRate = '20/s:500';

export function addLimitOptions(command: Command): Command {
  return command
    .option(
      '--rate-limit <rate>',
      'requests of each API key and login, counted by each replica: 50/s, 50/s:100 (100 at once) or 30/m; or TALLYSTICK_RATE_LIMIT (default: no limit)',
      rate,
    )
    .option(
      '--rate-limit-key <id=rate>',
      'another limit for one API key, such as 0123456789ab=500/s; may be repeated',
      collect(keyRate),
    )
    .option(
      '--rate-limit-address <rate>',
      `requests of each network address without a valid credential; or TALLYSTICK_RATE_LIMIT_ADDRESS (default: ${defaultAddressRate})`,
      rate,
    )
    .option(
      '--trusted-proxy <range>',
      'address or range of a proxy whose header X-Forwarded-For names the client; may be repeated; or TALLYSTICK_TRUSTED_PROXIES',
      collect((text) => text),
    )
    .addOption(corsOriginOption());
}

/** `--cors-origin`, of every command that serves the API. */
export function corsOriginOption(): Option {
  return new Option(
    '--cors-origin <origin>',
    'origin whose web pages may call the API with a key or a token, such as https://app.example.com; may be repeated; or TALLYSTICK_CORS_ORIGINS (default: none)',
  ).argParser(collect((text) => text));
}

/** The origins from the command line, then from the environment. */
export function corsOriginsOf(
  options: Pick<LimitOptions, 'corsOrigin'>,
  { env }: Pick<ProcessContext, 'env'>,
): readonly string[] | undefined {
  return options.corsOrigin ?? listIn(env.TALLYSTICK_CORS_ORIGINS);
}

/**
 * The options from the command line, then from the environment. Lists in the environment have spaces or commas between their parts.
 *
 * @throws {CliError} `USAGE` if the environment has a value that is not a rate
 */
export function limitSettings(
  options: LimitOptions,
  { env }: Pick<ProcessContext, 'env'>,
): Pick<HttpOptions, 'rates' | 'trustedProxies' | 'corsOrigins'> {
  return {
    rates: {
      callers: options.rateLimit ?? rateIn(env, 'TALLYSTICK_RATE_LIMIT'),
      exceptions: new Map(options.rateLimitKey?.map(([id, of]) => [`key:${id}`, of])),
      addresses:
        options.rateLimitAddress ?? rateIn(env, 'TALLYSTICK_RATE_LIMIT_ADDRESS') ?? rate(defaultAddressRate),
    },
    trustedProxies: options.trustedProxy ?? listIn(env.TALLYSTICK_TRUSTED_PROXIES),
    corsOrigins: corsOriginsOf(options, { env }),
  };
}

/** A parser for an option that may be given several times. */
function collect<T>(parse: (text: string) => T): (text: string, before: readonly T[] | undefined) => T[] {
  return (text, before = []) => [...before, parse(text)];
}

function keyRate(text: string): readonly [string, Rate] {
  const match = /^([0-9a-f]{12})=(.+)$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError(
      'It must be the id of a key from tally api-keys list, =, and a rate: 0123456789ab=500/s.',
    );
  return [match[1]!, rate(match[2]!)];
}

function rateIn(env: ProcessContext['env'], name: string): Rate | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  try {
    return rate(text);
  } catch (cause) {
    throw new CliError('USAGE', `${name} must be a rate, such as 50/s, 50/s:100 or 30/m`, { cause });
  }
}

function listIn(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter((part) => part !== '');
}
