import { parseArgs } from 'node:util';
import { defaultAlerts, maxTenants } from './scenario.ts';

export const usage = `usage: npm run demo -- [options]

  --keep           leave the audit service running at the end, until Ctrl-C
  --data DIR       keep the trail in this directory, which must be new or empty (default: a directory below the system's one for temporary files)
  --tenants N      1 to ${maxTenants} tenants (default: 2)
  --alerts N       1 to 100000 alerts (default: ${defaultAlerts}); after the written ones they are made from a seed
  --json           one JSON object per line, for machines`;

export interface DemoOptions {
  readonly keep: boolean;
  readonly json: boolean;
  readonly help: boolean;
  readonly data: string | undefined;
  readonly tenants: number;
  readonly alerts: number;
}

/** @throws {Error} that says which option is wrong */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      data: { type: 'string' },
      tenants: { type: 'string', default: '2' },
      alerts: { type: 'string', default: String(defaultAlerts) },
    },
  });
  return {
    ...values,
    data: values.data,
    tenants: wholeNumber('--tenants', values.tenants, maxTenants),
    alerts: wholeNumber('--alerts', values.alerts, 100_000),
  };
}

function wholeNumber(option: string, text: string, most: number): number {
  const number = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= most) return number;
  throw new Error(`${option} takes a whole number from 1 to ${most}, not ${JSON.stringify(text)}`);
}
