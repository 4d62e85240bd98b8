/** Why governance refused a step of a person. */
export class GovernanceRefused extends Error {
  override readonly name = 'GovernanceRefused';
  readonly code:
    | 'NO_CHANGE'
    | 'SETTING_UNKNOWN'
    | 'SETTING_INVALID'
    | 'NOT_IN_SHADOW'
    | 'SAME_PERSON'
    | 'CANARY_UNKNOWN';

  constructor(code: GovernanceRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}
