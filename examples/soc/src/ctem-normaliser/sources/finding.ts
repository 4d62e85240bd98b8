/** What the reader of a scanner found in its report. */
export interface Finding {
  readonly title: string;
  /** CVE, CWE, rule or probe: what is wrong. */
  readonly weakness: string;
  readonly asset: string;
  /** 0 to 1: how likely an attempt succeeds. */
  readonly exploitability: number;
  /** How the exploitability was derived, for the record. */
  readonly basis: string;
  readonly state: 'open' | 'resolved';
  /** RFC 3339, UTC. */
  readonly found_at: string;
}
