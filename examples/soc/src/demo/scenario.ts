import { corpusAlerts } from '../corpus/alerts.ts';
import type { CorpusAlert, CorpusFinding, CorpusTelemetry } from '../corpus/corpus.ts';
import { corpusFindings } from '../corpus/findings.ts';
import { generateAlerts } from '../corpus/generator.ts';
import { corpusTelemetry } from '../corpus/telemetry.ts';
import type { Tenant } from '../platform/tenants.ts';

/** The tenants of the demo; further ones are numbered. */
const names = ['acme', 'globex', 'initech', 'umbrella'] as const;

/** Most tenants of a demo. Each has a chain and a stream of its own. */
export const maxTenants = 20;

export function tenantsOf(count: number): Tenant[] {
  return Array.from({ length: count }, (_, at) => ({
    id: names[at] ?? `tenant-${at + 1}`,
    tier: 'premium' as const,
    shadow: false,
  }));
}

/** Alerts of the corpus in the order in which the demo shows them. A demo with fewer alerts shows the first ones. */
const told = [
  'plc-unauthorised',
  'injection-description',
  'powershell-download',
  'no-title',
  'mass-download',
  'injection-chinese',
  'scanner-1',
  'injection-file-name',
  'scanner-2',
  'ransomware',
  'injection-base64',
  'scanner-3',
  'ssh-brute-force',
  'ssh-brute-force-again',
  'stranger',
  'injection-zero-width',
  'impossible-travel',
  'c2-beacon',
] as const;

/** The alert that comes when the platform has learnt a pattern: the scanner once more. */
export const repeatedScan = alertNamed('scanner-4');

/** How many alerts the demo shows by default. */
export const defaultAlerts = told.length + 6;

/** The alerts of a demo: those that it tells about, and then generated ones of all tenants. */
export function* alertsOf(count: number, tenants: readonly Tenant[], now: number): Generator<CorpusAlert> {
  const generated = generateAlerts({
    seed: 1,
    tenants: tenants.map(({ id }) => id),
    from: now - count * 1_000,
  });
  for (let number = 0; number < count; number++) {
    const name = told[number];
    yield name === undefined ? generated.next().value : alertNamed(name);
  }
}

export const findings: readonly CorpusFinding[] = corpusFindings;

/** The telemetry of the corpus as if it came now: rules look at the last hour only. */
export function telemetryAt(now: number): CorpusTelemetry[] {
  const minutesAgo = new Date(now - 5 * 60_000).toISOString();
  const isFuture = (time: string) => Date.parse(time) > now;
  return corpusTelemetry.map((one) => {
    const { time } = one.telemetry;
    // What the corpus made malformed stays so.
    const isMalformed = Number.isNaN(Date.parse(time)) || isFuture(time);
    return isMalformed ? one : { ...one, telemetry: { ...one.telemetry, time: minutesAgo } };
  });
}

function alertNamed(name: string): CorpusAlert {
  const alert = corpusAlerts.find((one) => one.name === name);
  if (alert === undefined) throw new Error(`the corpus has no alert ${name}`);
  return alert;
}
