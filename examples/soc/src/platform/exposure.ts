import type { AssetRule, Severity } from './settings.ts';

/** Scanners whose findings the platform reads. */
export const findingSources = ['wiz', 'snyk', 'garak', 'art'] as const;
export type FindingSource = (typeof findingSources)[number];

/** What a scanner put on `ctem.raw.<source>`. Nothing in it is trusted. */
export interface RawFinding {
  readonly received_at: string;
  readonly payload: unknown;
}

export type Consequence = AssetRule['consequence'];

/** An exposure of one tenant, whichever scanner found it: the value of `ctem.normalized`. */
export interface Exposure {
  readonly exposure_id: string;
  /** The same for every report of one exposure. It includes the tenant. */
  readonly exposure_key: string;
  readonly tenant_id: string;
  readonly source: FindingSource;
  readonly title: string;
  /** CVE, CWE, probe name … */
  readonly weakness: string;
  readonly asset: string;
  /** 0 to 1. */
  readonly exploitability: number;
  readonly consequence: Consequence;
  /** 0 to 10. */
  readonly score: number;
  readonly severity: Exclude<Severity, 'informational'>;
  readonly owner: string;
  /** RFC 3339, UTC. */
  readonly due_at: string;
  readonly state: 'open' | 'remediated';
  readonly found_at: string;
}
