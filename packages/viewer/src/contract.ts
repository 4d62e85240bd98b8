/** What the event `tallystick-alarm` says. */
export interface AlarmDetail {
  /**
   * `forked`, `shrunk`, `missing`, `proof_invalid`, `no_proof`, `other_log`, `untrusted`, `malformed`, or `record` for a record that is not
   * intact.
   */
  readonly state: string;
  readonly tenant: string;
  /** A file for a third party, which `tally verify FILE` checks; absent where there is nothing to compare with. */
  readonly report?: string | undefined;
  /** Of a record that is not intact. */
  readonly audit_id?: string | undefined;
}
