import type { EventView } from './events.ts';
import type { MissingMatter } from './missing.ts';

/** A record of a timeline, at its place in the tree of causes. */
export interface TimelineEntry {
  /** How many branches lead to it. */
  readonly depth: number;
  /** Whether it begins a line of its own: no record of the timeline is its cause. */
  readonly is_root: boolean;
  /** Milliseconds since the first record. */
  readonly elapsed_ms: number;
  /** Milliseconds until the last record that it led to, directly or not. */
  readonly duration_ms: number;
  readonly event: EventView;
}

/** What the records of a timeline say together. */
export interface TimelineSummaryView {
  /** Calls of models with their sums, in the order of the first call of each. */
  readonly models: readonly {
    readonly model: string;
    readonly calls: number;
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cost_usd: number;
    readonly latency_ms: number;
    readonly calls_without_cost: number;
  }[];
  readonly people: readonly {
    readonly person: string;
    readonly did: string;
    readonly latency_ms?: number;
    readonly comment?: string;
    readonly audit_id: string;
  }[];
  /** What was done, refused or undone. Several ends mean that the records contradict each other. */
  readonly effects: readonly {
    readonly action: string;
    readonly target?: string;
    readonly group: 'done' | 'not_done' | 'undone';
    readonly ends: readonly string[];
    readonly audit_ids: readonly string[];
  }[];
  /** The `audit_id` of each record about a text that was kept from a model. */
  readonly quarantined: readonly string[];
  /** What is missing, or may be. */
  readonly missing: readonly MissingMatter[];
}

/** The records of an investigation, a correlation, a trace or a run of an agent, as a tree of causes. */
export interface TimelineView {
  readonly tenant_id: string;
  /** What the records have in common: one of these. */
  readonly investigation_id?: string;
  readonly correlation_id?: string;
  readonly trace_id?: string;
  readonly run_id?: string;
  /** In the order in which the tree is drawn. */
  readonly records: readonly TimelineEntry[];
  /** False where there are more records than were read. */
  readonly complete: boolean;
  /** Causes that are not among the records. Those without an event are not in the trail. */
  readonly outside: readonly { readonly audit_id: string; readonly event?: EventView }[];
  /** False where more causes were not looked up. */
  readonly outside_complete: boolean;
  /** The tenant's newest records about lost events, conflicts and producers that ended without a word, the newest first. */
  readonly deliveries: readonly EventView[];
  /** False where there are older ones that were not read. */
  readonly deliveries_complete: boolean;
  readonly summary: TimelineSummaryView;
}
