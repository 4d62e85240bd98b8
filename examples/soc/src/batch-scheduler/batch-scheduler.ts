import type { Investigation } from '../platform/investigation.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Reasoner, Reasoning, ReasoningRequest } from '../platform/reasoning.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import type { Message } from '../platform/topics.ts';
import { afterwards, separateChanges, type Units } from '../platform/unit-of-work.ts';
import { type BatchAnswer, BatchQueue, type BatchTask } from './batch-queue.ts';
import { Learning, type LearningParts, type Review } from './learning.ts';
import { PatternDecisions } from './pattern-decisions.ts';

export interface BatchSchedulerParts
  extends ServiceParts,
    Pick<LearningParts, 'patterns' | 'reviewed' | 'clusters' | 'playbooks'> {
  readonly reasoner: Reasoner;
}

/**
 * Reviews closed investigations in batches, and derives from them what the platform learns: patterns of false positives, which two people
 * must approve, and drafts of playbooks.
 */
export class BatchScheduler implements Service {
  readonly name = 'batch-scheduler';
  readonly #parts: BatchSchedulerParts;
  readonly #units: Units;
  readonly #decisions: PatternDecisions;
  readonly #learning: Learning;
  readonly #queue: BatchQueue<Review, Reasoning>;
  #unsubscribe: () => Promise<void> = async () => {};

  constructor(parts: BatchSchedulerParts) {
    this.#parts = parts;
    this.#units = parts.units ?? separateChanges;
    const recorder = new Recorder(this.name, parts.ids, parts.audit);
    this.#decisions = new PatternDecisions(parts.patterns, recorder, parts.settings.batch);
    this.#learning = new Learning({ ...parts, recorder });
    this.#queue = new BatchQueue({
      submit: (tasks) => this.#review(tasks),
      answered: (task, answer) => this.#units.run(() => this.#learn(task, answer)),
      settings: parts.settings.batch,
      clock: parts.clock,
      onError: (error) => parts.onError?.(error),
    });
  }

  async start(): Promise<void> {
    for (const { id } of this.#parts.tenants.all()) {
      for (const review of await this.#learning.waiting(id)) this.#queue.add(taskOf(review));
    }
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
  approve(
    tenantId: string,
    patternId: string,
    person: string,
    lineage: Lineage,
  ): Promise<FalsePositivePattern> {
    return this.#units.run(() => this.#decisions.approve(tenantId, patternId, person, lineage));
  }

  /**
   * A person withdraws a pattern. It never takes effect again.
   *
   * @throws {PatternRefused} `PATTERN_UNKNOWN`, `ALREADY_REVOKED`
   */
  revoke(
    tenantId: string,
    patternId: string,
    person: string,
    reason: string,
    lineage: Lineage,
  ): Promise<void> {
    return this.#units.run(() => this.#decisions.revoke(tenantId, patternId, person, reason, lineage));
  }

  async #collect({ value: investigation, lineage }: Message<Investigation>): Promise<void> {
    if (investigation.state !== 'closed') return;
    if (await this.#learning.isReviewed(investigation)) return;
    const review = { investigation, lineage };
    await this.#learning.keepForReview(review);
    afterwards(() => this.#queue.add(taskOf(review)));
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

  #ask(review: Review): Promise<Reasoning> {
    return this.#units.run(() => this.#parts.reasoner.reason(this.#requestOf(review)));
  }

  #requestOf({ investigation, lineage }: Review): ReasoningRequest {
    const { title, source, techniques, verdict, summary, closed_by } = investigation;
    return {
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
    };
  }

  async #learn({ task: { investigation, lineage } }: BatchTask<Review>, review: Reasoning): Promise<void> {
    // A review that found an attack in what was closed as harmless: nothing is learnt from it.
    const isDoubtful = review.verdict === 'true_positive' && investigation.verdict !== 'true_positive';
    await this.#learning.learn(investigation, after(lineage, review.eventId), isDoubtful);
  }
}

function taskOf(task: Review): BatchTask<Review> {
  return { customId: task.investigation.investigation_id, task };
}
