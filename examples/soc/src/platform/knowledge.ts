/** A draft that the batch scheduler derived from closed investigations: the value of `playbooks.draft`. */
export interface PlaybookDraft {
  readonly playbook_id: string;
  readonly tenant_id: string;
  readonly title: string;
  readonly techniques: readonly string[];
  readonly steps: readonly string[];
  readonly derived_from: readonly string[];
}

export type PatternState = 'proposed' | 'active' | 'revoked';

/** A pattern of alerts that turned out to be false positives. It takes effect after two different people approved it. */
export interface FalsePositivePattern {
  readonly pattern_id: string;
  readonly tenant_id: string;
  readonly title: string;
  readonly source: string;
  readonly techniques: readonly string[];
  /** Entities that every alert of the pattern has in common. */
  readonly entity_ids: readonly string[];
  readonly state: PatternState;
  readonly approved_by: readonly string[];
  readonly derived_from: readonly string[];
}
