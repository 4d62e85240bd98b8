import { type Clock, systemClock } from '../clock.ts';
import { WireRedactor } from '../redaction/wire-redactor.ts';
import { GateError } from './errors.ts';
import { type GateOptions, gateDefaults } from './options.ts';

/** The options of a gate, checked and with their defaults. */
export type GateSettings = GateOptions & { readonly [name in keyof typeof gateDefaults]: number } & {
  readonly clock: Clock;
  /** Finds arguments that look like secrets. Absent: only those that the action names are hidden. */
  readonly redactor: WireRedactor | undefined;
};

/** @throws {GateError} `CONFIG_INVALID` */
export function readSettings(options: GateOptions): GateSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = {
    ...gateDefaults,
    ...(given as unknown as GateOptions),
    clock: options.clock ?? systemClock,
    redactor: options.redaction === false ? undefined : new WireRedactor(options.redaction ?? {}),
  } as GateSettings;
  for (const name of Object.keys(gateDefaults) as (keyof typeof gateDefaults)[]) {
    if (!(settings[name] > 0)) throw new GateError('CONFIG_INVALID', `${name} must be a positive number`);
  }
  if (!['chained', 'accepted', undefined].includes(options.acknowledgement))
    throw new GateError('CONFIG_INVALID', "acknowledgement must be 'chained' or 'accepted'");
  if (options.hidingKey !== undefined && options.hidingKey.length < 32)
    throw new GateError('CONFIG_INVALID', 'hidingKey must have at least 32 bytes');
  return settings;
}
