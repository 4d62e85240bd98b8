import { limits, tenantIdPattern } from '@tallystick/event';
import { invalidConfig, requireMethods } from '../configuration.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import { type AuditEmitterConfig, emitterDefaults } from './options.ts';

type Config = AuditEmitterConfig<AnyTaxonomy>;
/** Checks the value of an option. */
type Check = (value: unknown, name: string) => void;

/** The option needs no check, or it is checked where it is read: numbers, `spool` and `redaction`. */
const unchecked: Check = () => {};
const callable: Check = (value, name) => {
  if (typeof value !== 'function') throw invalidConfig(`${name} must be a function`);
};
const methods =
  (names: readonly string[], hint?: string): Check =>
  (value, name) =>
    requireMethods(name, value, names, hint);

const checks: { readonly [K in keyof Required<Config>]: Check } = {
  service: (value) => {
    if (typeof value !== 'string' || value.length > limits.maxIdentifierLength) {
      throw invalidConfig(`service must be a string of at most ${limits.maxIdentifierLength} characters`);
    }
  },
  tenantId: (value) => {
    if (typeof value !== 'string' || !tenantIdPattern.test(value)) {
      throw invalidConfig(`tenantId must match ${tenantIdPattern.source}`);
    }
  },
  unknownFields: (value) => {
    if (value !== 'refuse' && value !== 'metadata') {
      throw invalidConfig("unknownFields must be 'refuse' or 'metadata'");
    }
  },
  transport: methods(['send', 'close'], '; await the promise of a transport'),
  taxonomy: methods(['find']),
  logger: methods(['info', 'warn', 'error']),
  clock: methods(['now', 'schedule']),
  onError: callable,
  activeTrace: callable,
  random: callable,
  logEvents: unchecked,
  flushOnExit: unchecked,
  ephemeral: unchecked,
  spool: unchecked,
  redaction: unchecked,
  bufferSize: unchecked,
  maxBufferBytes: unchecked,
  batchSize: unchecked,
  maxBatchBytes: unchecked,
  flushIntervalMs: unchecked,
  maxRetries: unchecked,
  retryDelaysMs: unchecked,
  probeIntervalMs: unchecked,
  deadlineMs: unchecked,
  recordTimeoutMs: unchecked,
};

/**
 * Finds invalid options when the emitter is created, and not with the first event or the first outage.
 *
 * @throws {AuditError} `CONFIG_INVALID`
 */
export function checkConfig(config: Config): void {
  if (typeof config !== 'object' || config === null)
    throw invalidConfig('the configuration of an emitter must be an object');
  for (const [name, value] of Object.entries(config)) {
    if (!Object.hasOwn(checks, name)) throw invalidConfig(`an emitter has no option ${name}`);
    if (value !== undefined) checks[name as keyof Config](value, name);
  }
  const delays = config.retryDelaysMs;
  if (delays !== undefined && (!Array.isArray(delays) || delays.length === 0)) {
    throw invalidConfig(`retryDelaysMs must be a list such as [${emitterDefaults.retryDelaysMs.join(', ')}]`);
  }
}
