import type { Documents } from '../platform/documents.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { Settings } from '../platform/settings.ts';

/** Why a person's step about a pattern was refused. */
class PatternRefused extends Error {
  override readonly name = 'PatternRefused';
  readonly code: 'PATTERN_UNKNOWN' | 'ALREADY_APPROVED' | 'NOT_PROPOSED' | 'ALREADY_REVOKED';

  constructor(code: PatternRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What people decide about patterns of false positives: two different ones make a pattern active, and one withdraws it. */
export class PatternDecisions {
  readonly #patterns: Documents<FalsePositivePattern>;
  readonly #recorder: Recorder;
  readonly #settings: Settings['batch'];

  constructor(patterns: Documents<FalsePositivePattern>, recorder: Recorder, settings: Settings['batch']) {
    this.#patterns = patterns;
    this.#recorder = recorder;
    this.#settings = settings;
  }

  /**
   * A person approves a pattern. With the second one it takes effect.
   *
   * @throws {PatternRefused} `PATTERN_UNKNOWN`, `NOT_PROPOSED`, or `ALREADY_APPROVED` by the same person
   */
  async approve(
    tenantId: string,
    patternId: string,
    person: string,
    lineage: Lineage,
  ): Promise<FalsePositivePattern> {
    const pattern = await this.#find(tenantId, patternId);
    if (pattern.state !== 'proposed') {
      throw new PatternRefused('NOT_PROPOSED', `pattern ${patternId} is ${pattern.state}`);
    }
    if (pattern.approved_by.includes(person)) {
      throw new PatternRefused(
        'ALREADY_APPROVED',
        `${person} has approved pattern ${patternId}; another person must`,
      );
    }
    const needed = this.#settings.approversOfPattern;
    const approved_by = [...pattern.approved_by, person];
    const isComplete = approved_by.length >= needed;
    const approved = this.#recorder.emit('fp_pattern.approved', lineage, {
      actorType: 'user',
      actorId: person,
      targetType: 'fp_pattern',
      targetId: patternId,
      decision: {
        decision_type: 'pattern_approval',
        classification: 'approved',
        reasoning_summary: `approval ${approved_by.length} of ${needed}`,
      },
      outcome: {
        outcome_status: 'success',
        approval_received_from: person,
        state_before: 'proposed',
        state_after: isComplete ? 'active' : 'proposed',
      },
    });
    if (isComplete) this.#recordActivation(after(lineage, approved), pattern, approved_by);
    const changed: FalsePositivePattern = {
      ...pattern,
      approved_by,
      state: isComplete ? 'active' : 'proposed',
    };
    await this.#patterns.put(tenantId, patternId, changed);
    return changed;
  }

  /**
   * A person withdraws a pattern. It never takes effect again.
   *
   * @throws {PatternRefused} `PATTERN_UNKNOWN`, `ALREADY_REVOKED`
   */
  async revoke(
    tenantId: string,
    patternId: string,
    person: string,
    reason: string,
    lineage: Lineage,
  ): Promise<void> {
    const pattern = await this.#find(tenantId, patternId);
    if (pattern.state === 'revoked')
      throw new PatternRefused('ALREADY_REVOKED', `pattern ${patternId} is revoked`);
    this.#recorder.emit('fp_pattern.revoked', lineage, {
      actorType: 'user',
      actorId: person,
      severity: 'warning',
      targetType: 'fp_pattern',
      targetId: patternId,
      decision: { decision_type: 'pattern_approval', classification: 'revoked', reasoning_summary: reason },
      outcome: { outcome_status: 'success', state_before: pattern.state, state_after: 'revoked' },
    });
    await this.#patterns.put(tenantId, patternId, { ...pattern, state: 'revoked' });
  }

  #recordActivation(
    lineage: Lineage,
    { pattern_id, title }: FalsePositivePattern,
    approvedBy: readonly string[],
  ): void {
    this.#recorder.emit('fp_pattern.activated', lineage, {
      targetType: 'fp_pattern',
      targetId: pattern_id,
      context: { pattern_approved_by: [...approvedBy] },
      decision: {
        decision_type: 'pattern',
        classification: 'active',
        reasoning_summary: `"${title}" is closed without analysis from now on; approved by ${approvedBy.join(' and ')}`,
      },
      outcome: { outcome_status: 'success', state_before: 'proposed', state_after: 'active' },
    });
  }

  async #find(tenantId: string, patternId: string): Promise<FalsePositivePattern> {
    const pattern = await this.#patterns.get(tenantId, patternId);
    if (pattern === undefined) {
      throw new PatternRefused('PATTERN_UNKNOWN', `the tenant has no pattern ${patternId}`);
    }
    return pattern;
  }
}
