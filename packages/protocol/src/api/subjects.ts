/** A subject whose logins and keys the service refuses. */
export interface BlockedSubject {
  readonly subject: string;
  /** RFC 3339. */
  readonly blocked_at: string;
  /** Principal of the operator. */
  readonly blocked_by: string;
  readonly reason?: string | undefined;
}

/** All blocked subjects, the first block first. */
export interface BlockedSubjectList {
  readonly subjects: readonly BlockedSubject[];
}

/** A subject to be blocked. */
export interface SubjectBlock {
  /** Letter by letter as records name it; of a login: the issuer, `#`, and the token's `sub`. */
  readonly subject: string;
  /** For people. */
  readonly reason?: string | undefined;
}
