import { createHash } from 'node:crypto';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Investigation } from '../platform/investigation.ts';
import type { FalsePositivePattern, PlaybookDraft } from '../platform/knowledge.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { ServiceParts } from '../platform/service.ts';
import { attackKey, type Cluster, falsePositiveKey, inCommon, withMember } from './mining.ts';

/** A closed investigation that is to be reviewed, and the lineage of its review. */
export interface Review {
  readonly investigation: Investigation;
  readonly lineage: Lineage;
}

/** Whether a closed investigation was reviewed. While it waits, also what its review needs: a process that starts goes on with it. */
export type Reviewed = { readonly reviewed: true } | ({ readonly reviewed: false } & Review);

export interface LearningParts extends Pick<ServiceParts, 'topics' | 'settings'> {
  readonly recorder: Recorder;
  /** Read by the orchestrator. */
  readonly patterns: Documents<FalsePositivePattern>;
  /** Closed investigations that were reviewed or wait for it. @defaultValue in memory */
  readonly reviewed?: Documents<Reviewed> | undefined;
  /** Reviewed investigations of one kind. @defaultValue in memory */
  readonly clusters?: Documents<Cluster> | undefined;
  /** @defaultValue in memory */
  readonly playbooks?: Documents<PlaybookDraft> | undefined;
}

/** Derives patterns of false positives and drafts of playbooks from what closed investigations of a tenant have in common. */
export class Learning {
  readonly #parts: LearningParts;
  readonly #recorder: Recorder;
  readonly #reviewed: Documents<Reviewed>;
  readonly #clusters: Documents<Cluster>;
  readonly #playbooks: Documents<PlaybookDraft>;

  constructor(parts: LearningParts) {
    this.#parts = parts;
    this.#recorder = parts.recorder;
    const limit = { keep: parts.settings.memory.documentsPerTenant };
    this.#reviewed = parts.reviewed ?? new MemoryDocuments({ ...limit, mayDrop: ({ reviewed }) => reviewed });
    this.#clusters = parts.clusters ?? new MemoryDocuments(limit);
    this.#playbooks = parts.playbooks ?? new MemoryDocuments();
  }

  async isReviewed({ tenant_id, investigation_id }: Investigation): Promise<boolean> {
    return (await this.#reviewed.get(tenant_id, investigation_id))?.reviewed === true;
  }

  /** Keeps an investigation until it was reviewed. */
  async keepForReview({ investigation, lineage }: Review): Promise<void> {
    const { tenant_id, investigation_id } = investigation;
    await this.#reviewed.put(tenant_id, investigation_id, { reviewed: false, investigation, lineage });
  }

  /** Investigations of a tenant that wait for their review. */
  async waiting(tenantId: string): Promise<Review[]> {
    const all = await this.#reviewed.list(tenantId);
    return all.flatMap((one) =>
      one.reviewed ? [] : [{ investigation: one.investigation, lineage: one.lineage }],
    );
  }

  /**
   * Notes that an investigation was reviewed, and looks for what it has in common with others of its tenant.
   *
   * @param isDoubtful the review disagreed with the investigation: nothing is learnt from it
   */
  async learn(investigation: Investigation, lineage: Lineage, isDoubtful: boolean): Promise<void> {
    const { tenant_id, investigation_id } = investigation;
    if (!isDoubtful) {
      const { patternFromClosed, playbookFromClosed } = this.#parts.settings.batch;
      const harmless = await this.#grow('harmless', falsePositiveKey(investigation), investigation);
      if (harmless !== undefined && harmless.members.length >= patternFromClosed) {
        await this.#proposePattern(lineage, tenant_id, harmless);
      }
      const attacks = await this.#grow('attack', attackKey(investigation), investigation);
      if (attacks !== undefined && attacks.members.length >= playbookFromClosed) {
        await this.#draftPlaybook(lineage, tenant_id, attacks);
      }
    }
    // A crash before this line reviews the investigation again. Clusters, patterns and drafts know what they have.
    await this.#reviewed.put(tenant_id, investigation_id, { reviewed: true });
  }

  /** Adds an investigation to the cluster of its kind. */
  async #grow(
    verdict: 'harmless' | 'attack',
    key: string | undefined,
    investigation: Investigation,
  ): Promise<Cluster | undefined> {
    if (key === undefined) return undefined;
    const { patternFromClosed, playbookFromClosed } = this.#parts.settings.batch;
    const id = `${verdict}-${shortHash(key)}`;
    const known = (await this.#clusters.get(investigation.tenant_id, id)) ?? { key, members: [] };
    const grown = withMember(known, investigation, Math.max(patternFromClosed, playbookFromClosed));
    await this.#clusters.put(investigation.tenant_id, id, grown);
    return grown;
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
}

function shortHash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
