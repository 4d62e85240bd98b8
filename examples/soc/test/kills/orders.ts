/** What a process of the platform is told to do. */
export interface Orders {
  readonly directory: string;
  readonly url: string;
  /** Records and requests approvals. */
  readonly apiKey: string;
  /** Alerts of this round: their numbers in the sequence of the seed. */
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Whether the process ends when everything is handled and recorded. */
  readonly ends: boolean;
}

/** The tenants of the campaign. */
export const tenants = ['acme', 'globex'];
