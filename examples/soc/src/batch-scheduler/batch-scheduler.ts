import { createHash } from 'node:crypto';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Investigation } from '../platform/investigation.ts';
import type { FalsePositivePattern, PlaybookDraft } from '../platform/knowledge.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Reasoner, Reasoning } from '../platform/reasoning.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import type { Message } from '../platform/topics.ts';
import { type BatchAnswer, BatchQueue, type BatchTask } from './batch-queue.ts';
import { attackClusters, type Cluster, falsePositiveClusters, inCommon } from './mining.ts';

export interface BatchSchedulerParts extends ServiceParts {
  readonly reasoner: Reasoner;
  /** Read by the orchestrator. */
  readonly patterns: Documents<FalsePositivePattern>;
  /** Closed investigations whose review agreed with them. @defaultValue in memory */
  readonly reviewed?: Documents<Investigation>;
  /** @defaultValue in memory */
  readonly playbooks?: Documents<PlaybookDraft>;
}

/** Why a person's step about a pattern was refused. */
class PatternRefused extends Error {
  override readonly name = 'PatternRefused';
  readonly code: 'PATTERN_UNKNOWN' | 'ALREADY_APPROVED' | 'NOT_PROPOSED' | 'ALREADY_REVOKED';

  constructor(code: PatternRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

interface Review {
  readonly investigation: Investigation;
  readonly lineage: Lineage;
}

/**
 * Reviews closed investigations in batches, and derives from them what the platform learns: patterns of false positives, which two people
 * must approve, and drafts of playbooks.
 */
export class BatchScheduler implements Service {
  readonly name = 'batch-scheduler';
  readonly #parts: BatchSchedulerParts;
  readonly #reviewed: Documents<Investigation>;
  readonly #playbooks: Documents<PlaybookDraft>;
  readonly #recorder: Recorder;
  readonly #queue: BatchQueue<Review, Reasoning>;
  #unsubscribe: () => Promise<void> = async () => {};

  constructor(parts: BatchSchedulerParts) {
    this.#parts = parts;
    this.#reviewed = parts.reviewed ?? new MemoryDocuments();
    this.#playbooks = parts.playbooks ?? new MemoryDocuments();
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
    this.#queue = new BatchQueue({
      submit: (tasks) => this.#review(tasks),
      answered: (task, answer) => this.#learn(task, answer),
      settings: parts.settings.batch,
      clock: parts.clock,
      onError: (error) => parts.onError?.(error),
    });
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#parts.topics.subscribe('investigations', this.name, (message) =>
      this.#collect(message),
    );
  }

  async stop(): Promise<void> {
    await this.#unsubscribe();
    await this.#queue.stop();
  }

  /** Closed investigations that wait for their review. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Reviews what waits, without waiting for a full batch. */
  flush(): Promise<void> {
    return this.#queue.flush();
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
    const needed = this.#parts.settings.batch.approversOfPattern;
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
    await this.#parts.patterns.put(tenantId, patternId, changed);
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
    await this.#parts.patterns.put(tenantId, patternId, { ...pattern, state: 'revoked' });
  }

  async #collect({ value: investigation, lineage }: Message<Investigation>): Promise<void> {
    if (investigation.state !== 'closed') return;
    if ((await this.#reviewed.get(investigation.tenant_id, investigation.investigation_id)) !== undefined)
      return;
    this.#queue.add({ customId: investigation.investigation_id, task: { investigation, lineage } });
  }

  async #review(tasks: readonly BatchTask<Review>[]): Promise<BatchAnswer<Reasoning>[]> {
    const answers = await Promise.all(
      tasks.map(async ({ customId, task }) => ({ customId, answer: await this.#ask(task) })),
    );
    return answers.map(({ customId, answer }) =>
      // A provider that does not answer today may answer tomorrow.
      answer.status === 'failed' ? { customId, error: answer.reason ?? 'no answer' } : { customId, answer },
    );
  }

  #ask({ investigation, lineage }: Review): Promise<Reasoning> {
    const { title, source, techniques, verdict, summary, closed_by } = investigation;
    return this.#parts.reasoner.reason({
      lineage,
      task: 'batch.mine',
      severity: investigation.severity,
      tenantTier: this.#parts.tenants.find(investigation.tenant_id)?.tier ?? 'trial',
      instructions: 'Say whether the verdict of this closed investigation was right.',
      needsReasoning: true,
      evidence: [
        {
          ref: investigation.investigation_id,
          text: [
            `${source}: ${title}`,
            `techniques: ${techniques.join(', ')}`,
            `verdict: ${verdict ?? 'none'}, closed by ${closed_by ?? 'an unknown way'}`,
            summary ?? '',
          ].join('\n'),
        },
      ],
    });
  }

  /** Keeps the investigation, and looks for what it has in common with others of its tenant. */
  async #learn({ task: { investigation, lineage } }: BatchTask<Review>, review: Reasoning): Promise<void> {
    const { tenant_id, investigation_id } = investigation;
    await this.#reviewed.put(tenant_id, investigation_id, investigation);
    // A review that found an attack in what was closed as harmless: nothing is learnt from it.
    const isDoubtful = review.verdict === 'true_positive' && investigation.verdict !== 'true_positive';
    if (isDoubtful) return;
    const all = await this.#reviewed.list(tenant_id);
    const ofThis = ({ members }: Cluster) =>
      members.some((member) => member.investigation_id === investigation_id);
    const { patternFromClosed, playbookFromClosed } = this.#parts.settings.batch;
    const harmless = falsePositiveClusters(all).find(ofThis);
    if (harmless !== undefined && harmless.members.length >= patternFromClosed) {
      await this.#proposePattern(after(lineage, review.eventId), tenant_id, harmless);
    }
    const attacks = attackClusters(all).find(ofThis);
    if (attacks !== undefined && attacks.members.length >= playbookFromClosed) {
      await this.#draftPlaybook(after(lineage, review.eventId), tenant_id, attacks);
    }
  }

  async #proposePattern(lineage: Lineage, tenantId: string, { key, members }: Cluster): Promise<void> {
    const { patterns } = this.#parts;
    const pattern_id = `fp-${shortHash(tenantId, key)}`;
    // Proposed before; what people decided about it stays.
    if ((await patterns.get(tenantId, pattern_id)) !== undefined) return;
    const { title, source } = members[0]!;
    const pattern: FalsePositivePattern = {
      pattern_id,
      tenant_id: tenantId,
      title,
      source,
      techniques: inCommon(members.map(({ techniques }) => techniques)),
      entity_ids: inCommon(members.map(({ entity_ids }) => entity_ids)),
      state: 'proposed',
      approved_by: [],
      derived_from: members.map(({ investigation_id }) => investigation_id),
    };
    this.#recorder.emit('fp_pattern.created', lineage, {
      targetType: 'fp_pattern',
      targetId: pattern_id,
      entityIds: pattern.entity_ids,
      context: { evidence_refs: [...pattern.derived_from], techniques_identified: [...pattern.techniques] },
      decision: {
        decision_type: 'pattern',
        classification: 'false_positive',
        reasoning_summary: `${members.length} investigations of "${title}" (${source}) ended without an attack`,
        constraints_applied: [`${this.#parts.settings.batch.approversOfPattern} people must approve it`],
      },
      outcome: { outcome_status: 'pending', state_after: 'proposed' },
    });
    await patterns.put(tenantId, pattern_id, pattern);
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

  async #draftPlaybook(lineage: Lineage, tenantId: string, { key, members }: Cluster): Promise<void> {
    const playbook_id = `draft-${shortHash(tenantId, key)}`;
    if ((await this.#playbooks.get(tenantId, playbook_id)) !== undefined) return;
    const { techniques } = members[0]!;
    const draft: PlaybookDraft = {
      playbook_id,
      tenant_id: tenantId,
      title: `Attacks with ${techniques.join(', ')}`,
      techniques,
      steps: [...new Set(members.map(({ summary }) => summary ?? '').filter((text) => text !== ''))],
      derived_from: members.map(({ investigation_id }) => investigation_id),
    };
    const generated = this.#recorder.emit('playbook.generated', lineage, {
      targetType: 'playbook',
      targetId: playbook_id,
      context: { evidence_refs: [...draft.derived_from], techniques_identified: [...techniques] },
      decision: {
        decision_type: 'playbook',
        classification: 'draft',
        reasoning_summary: `${members.length} confirmed attacks had the techniques ${techniques.join(', ')}`,
      },
      outcome: { outcome_status: 'success', action_taken: 'published', action_target: 'playbooks.draft' },
    });
    await this.#parts.topics.publish('playbooks.draft', {
      key: playbook_id,
      lineage: after(lineage, generated),
      value: draft,
    });
    await this.#playbooks.put(tenantId, playbook_id, draft);
  }

  async #find(tenantId: string, patternId: string): Promise<FalsePositivePattern> {
    const pattern = await this.#parts.patterns.get(tenantId, patternId);
    if (pattern === undefined) {
      throw new PatternRefused('PATTERN_UNKNOWN', `the tenant has no pattern ${patternId}`);
    }
    return pattern;
  }
}

function shortHash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
