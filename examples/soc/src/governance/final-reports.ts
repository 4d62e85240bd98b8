import { quotableTitle } from '../injection/quotable-title.ts';
import type { Documents } from '../platform/documents.ts';
import type { Investigation } from '../platform/investigation.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { Message } from '../platform/topics.ts';

/** The final reports of closed investigations. */
export class FinalReports {
  readonly #recorder: Recorder;
  readonly #reported: Documents<true>;

  constructor(recorder: Recorder, reported: Documents<true>) {
    this.#recorder = recorder;
    this.#reported = reported;
  }

  /** Writes the final report of a closed investigation, once. */
  async write({ value: investigation, lineage }: Message<Investigation>): Promise<void> {
    const { tenant_id, investigation_id, state, closed_by, verdict, confidence } = investigation;
    if (state !== 'closed' || (await this.#reported.get(tenant_id, investigation_id))) return;
    this.#recorder.emit('response.generated', lineage, {
      targetType: 'investigation',
      targetId: investigation_id,
      decision: {
        decision_type: 'report',
        classification: verdict,
        confidence,
        severity_assigned: investigation.severity,
        reasoning_summary: reportOf(investigation),
      },
      outcome: {
        outcome_status: 'success',
        action_taken: 'report written',
        state_after: `closed by ${closed_by}`,
      },
    });
    await this.#reported.put(tenant_id, investigation_id, true);
  }
}

function reportOf({ title, source, verdict, closed_by, summary, techniques }: Investigation): string {
  return [
    `${source}: ${quotableTitle(title)}.`,
    `Verdict: ${verdict ?? 'none'}, closed by ${closed_by ?? 'an unknown way'}.`,
    ...(techniques.length > 0 ? [`Techniques: ${techniques.join(', ')}.`] : []),
    ...(summary === undefined ? [] : [summary]),
  ].join(' ');
}
