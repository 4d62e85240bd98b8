import { limits, tenantIdPattern } from '@tallystick/event';
import { refusal, requireMethods } from '../configuration.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import { type AuditEmitterConfig, emitterDefaults } from './options.ts';

type Config = AuditEmitterConfig<AnyTaxonomy>;
/** Looks at a value that was given; the numbers, the spool's and redaction's options are looked at where they are read. */
type Check = (value: unknown, name: string) => void;

const elsewhere: Check = () => {};
const callable: Check = (value, name) => {
  if (typeof value !== 'function') throw refusal(`${name} must be a function`);
};
const methods =
  (names: readonly string[], hint?: string): Check =>
  (value, name) =>
    requireMethods(name, value, names, hint);

const checks: { readonly [K in keyof Required<Config>]: Check } = {
  service: (value) => {
    if (typeof value !== 'string' || value.length > limits.maxIdentifierLength) {
      throw refusal(`service must be a text of at most ${limits.maxIdentifierLength} characters`);
    }
  },
  tenantId: (value) => {
    if (typeof value !== 'string' || !tenantIdPattern.test(value)) {
      throw refusal(`tenantId must match ${tenantIdPattern.source}`);
    }
  },
  transport: methods(['send', 'close'], '; a promise of a transport is to be awaited'),
  taxonomy: methods(['find']),
  logger: methods(['info', 'warn', 'error']),
  clock: methods(['now', 'schedule']),
  onError: callable,
  activeTrace: callable,
  random: callable,
  logEvents: elsewhere,
  flushOnExit: elsewhere,
  spool: elsewhere,
  redaction: elsewhere,
  bufferSize: elsewhere,
  maxBufferBytes: elsewhere,
  batchSize: elsewhere,
  maxBatchBytes: elsewhere,
  flushIntervalMs: elsewhere,
  maxRetries: elsewhere,
  retryDelaysMs: elsewhere,
  probeIntervalMs: elsewhere,
  deadlineMs: elsewhere,
  recordTimeoutMs: elsewhere,
};

/**
 * Refuses what would otherwise be found out with the first event, or with the first outage.
 *
 * @throws {AuditError} `CONFIG_INVALID`
 */
export function checkConfig(config: Config): void {
  if (typeof config !== 'object' || config === null)
    throw refusal('an emitter is made with an object of options');
  for (const [name, value] of Object.entries(config)) {
    if (!Object.hasOwn(checks, name)) throw refusal(`an emitter has no option ${name}`);
    if (value !== undefined) checks[name as keyof Config](value, name);
  }
  const delays = config.retryDelaysMs;
  if (delays !== undefined && (!Array.isArray(delays) || delays.length === 0)) {
    throw refusal(`retryDelaysMs must be a list such as [${emitterDefaults.retryDelaysMs.join(', ')}]`);
  }
}
