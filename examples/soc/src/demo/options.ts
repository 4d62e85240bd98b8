import { parseArgs } from 'node:util';
import { type CatalogName, catalogNames } from '../models/named-catalog.ts';
import { defaultAlerts, maxTenants } from './scenario.ts';

export const usage = `usage: npm run demo -- [options]

  --keep           leave the audit service running at the end, until Ctrl-C
  --data DIR       keep the trail in this directory, which must be new or empty (default: a directory below the system's one for temporary files)
  --tenants N      1 to ${maxTenants} tenants (default: 2)
  --alerts N       1 to 100000 alerts (default: ${defaultAlerts}); after the written ones they are made from a seed
  --kafka          each service is a process of its own, over Apache Kafka. A broker is started for the demo, which needs Java and Maven
  --models NAME    ${catalogNames.join(', ')} (default: offline). The models of a provider need its key, ANTHROPIC_API_KEY or OPENAI_API_KEY, and cost money
  --brokers LIST   as --kafka, over brokers that run already: host:port, separated by commas
  --json           one JSON object per line, for machines`;

export interface DemoOptions {
  readonly keep: boolean;
  readonly json: boolean;
  readonly help: boolean;
  readonly data: string | undefined;
  readonly tenants: number;
  readonly alerts: number;
  readonly kafka: boolean;
  readonly brokers: readonly string[] | undefined;
  readonly models: CatalogName;
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
      kafka: { type: 'boolean', default: false },
      brokers: { type: 'string' },
      alerts: { type: 'string', default: String(defaultAlerts) },
      models: { type: 'string', default: 'offline' },
    },
  });
  return {
    ...values,
    data: values.data,
    kafka: values.kafka || values.brokers !== undefined,
    models: modelsOf(values.models),
    brokers: values.brokers === undefined ? undefined : brokersOf(values.brokers),
    tenants: wholeNumber('--tenants', values.tenants, maxTenants),
    alerts: wholeNumber('--alerts', values.alerts, 100_000),
  };
}

function modelsOf(text: string): CatalogName {
  const name = catalogNames.find((one) => one === text);
  if (name !== undefined) return name;
  throw new Error(`--models takes ${catalogNames.join(', ')}, not ${JSON.stringify(text)}`);
}

function brokersOf(text: string): string[] {
  const brokers = text.split(',');
  if (brokers.every((broker) => /^[\w.-]+:\d{1,5}$/.test(broker))) return brokers;
  throw new Error(`--brokers takes host:port, separated by commas, not ${JSON.stringify(text)}`);
}

function wholeNumber(option: string, text: string, most: number): number {
  const number = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= most) return number;
  throw new Error(`${option} takes a whole number from 1 to ${most}, not ${JSON.stringify(text)}`);
}
