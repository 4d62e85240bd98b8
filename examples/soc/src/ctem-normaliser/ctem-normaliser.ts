import { createHash } from 'node:crypto';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import { type Exposure, type FindingSource, findingSources, type RawFinding } from '../platform/exposure.ts';
import { readMessage } from '../platform/intake.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import type { Message } from '../platform/topics.ts';
import { scoreOf } from './score.ts';
import { readArt } from './sources/art.ts';
import type { Finding } from './sources/finding.ts';
import { readGarak } from './sources/garak.ts';
import { readSnyk } from './sources/snyk.ts';
import { readWiz } from './sources/wiz.ts';

const readers: Record<FindingSource, (payload: unknown) => Finding> = {
  wiz: readWiz,
  snyk: readSnyk,
  garak: readGarak,
  art: readArt,
};

/** Makes the findings of four scanners into exposures, scores them, and follows their remediation. */
export class CtemNormaliser implements Service {
  readonly name = 'ctem-normaliser';
  readonly #parts: ServiceParts;
  readonly #exposures: Documents<Exposure>;
  readonly #recorder: Recorder;
  #subscriptions: (() => Promise<void>)[] = [];

  /** @param parts `exposures` keeps every known exposure; in memory by default */
  constructor(parts: ServiceParts & { readonly exposures?: Documents<Exposure> | undefined }) {
    this.#parts = parts;
    this.#exposures = parts.exposures ?? new MemoryDocuments();
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
  }

  async start(): Promise<void> {
    this.#subscriptions = await Promise.all(
      findingSources.map((source) =>
        this.#parts.topics.subscribe(`ctem.raw.${source}`, this.name, (message) =>
          this.#handle(source, message),
        ),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((unsubscribe) => unsubscribe()));
  }

  async #handle(source: FindingSource, { lineage, value }: Message<RawFinding>): Promise<void> {
    const finding = readMessage(
      {
        tenants: this.#parts.tenants,
        recorder: this.#recorder,
        eventType: 'ctem.exposure_scored',
        lineage,
        what: `${source} finding`,
        malformedCode: 'FINDING_MALFORMED',
      },
      () => readers[source](value.payload),
    );
    const { tenantId } = lineage;
    const key = keyOf(tenantId, finding);
    const known = await this.#exposures.get(tenantId, key);
    // What was never open needs no remediation.
    if (known === undefined && finding.state === 'resolved') return;
    if (known?.state === 'open' && finding.state === 'resolved')
      return this.#verified(lineage, known, finding);
    if (known?.state === 'remediated' && finding.state === 'resolved') return;

    const exposure = this.#score(tenantId, source, key, finding, known);
    const scored = this.#recordScore(lineage, exposure, finding, known);
    const isNew = known === undefined || known.state === 'remediated';
    const ownerChanged = known !== undefined && known.owner !== exposure.owner;
    const lineageOfScore = after(lineage, scored);
    const last = isNew || ownerChanged ? this.#recordAssignment(lineageOfScore, exposure, known) : scored;
    await this.#store(after(lineage, last), exposure);
  }

  #score(
    tenantId: string,
    source: FindingSource,
    key: string,
    finding: Finding,
    known: Exposure | undefined,
  ): Exposure {
    const { settings, clock } = this.#parts;
    const { score, severity, rule } = scoreOf(finding.asset, finding.exploitability, settings.ctem);
    const dueAt = clock.now() + settings.ctem.slaMs[severity];
    const reopened = known === undefined || known.state === 'remediated';
    return {
      exposure_id: `exposure-${key.slice(0, 32)}`,
      exposure_key: key,
      tenant_id: tenantId,
      source,
      title: finding.title,
      weakness: finding.weakness,
      asset: finding.asset,
      exploitability: finding.exploitability,
      consequence: rule.consequence,
      score,
      severity,
      owner: rule.owner,
      // A report that repeats an open exposure never moves its deadline back.
      due_at: new Date(reopened ? dueAt : Math.min(dueAt, Date.parse(known.due_at))).toISOString(),
      state: 'open',
      found_at: reopened ? finding.found_at : known.found_at,
    };
  }

  #recordScore(lineage: Lineage, exposure: Exposure, finding: Finding, known: Exposure | undefined): string {
    const weight = this.#parts.settings.ctem.consequenceWeights[exposure.consequence];
    return this.#recorder.emit('ctem.exposure_scored', lineage, {
      targetType: 'exposure',
      targetId: exposure.exposure_id,
      context: {
        finding_source: exposure.source,
        weakness: exposure.weakness,
        asset: exposure.asset,
        exploitability: exposure.exploitability,
        consequence: exposure.consequence,
        consequence_weight: weight,
        found_at: exposure.found_at,
      },
      decision: {
        decision_type: 'exposure_score',
        classification: exposure.consequence,
        confidence: finding.exploitability,
        confidence_basis: finding.basis,
        severity_assigned: exposure.severity,
        reasoning_summary: `score ${exposure.score} = exploitability ${exposure.exploitability} × ${exposure.consequence} ${weight} × 10`,
      },
      outcome: {
        outcome_status: 'success',
        state_before: known === undefined ? 'unknown' : `${known.state}, score ${known.score}`,
        state_after: `open, score ${exposure.score}`,
      },
    });
  }

  #recordAssignment(lineage: Lineage, exposure: Exposure, known: Exposure | undefined): string {
    return this.#recorder.emit('ctem.remediation_assigned', lineage, {
      targetType: 'exposure',
      targetId: exposure.exposure_id,
      context: { asset: exposure.asset, due_at: exposure.due_at },
      decision: {
        decision_type: 'assignment',
        classification: exposure.owner,
        severity_assigned: exposure.severity,
        reasoning_summary: `${exposure.asset} belongs to ${exposure.owner}; severity ${exposure.severity} must be remediated by ${exposure.due_at}`,
      },
      outcome: {
        outcome_status: 'success',
        action_taken: known === undefined ? 'assigned' : 'assigned_again',
        action_target: exposure.owner,
      },
    });
  }

  async #verified(lineage: Lineage, known: Exposure, finding: Finding): Promise<void> {
    const { clock } = this.#parts;
    const isLate = clock.now() > Date.parse(known.due_at);
    const verified = this.#recorder.emit('ctem.remediation_verified', lineage, {
      targetType: 'exposure',
      targetId: known.exposure_id,
      context: { asset: known.asset, due_at: known.due_at, late: isLate },
      decision: {
        decision_type: 'verification',
        classification: 'remediated',
        confidence_basis: finding.basis,
        reasoning_summary: `${known.source} reports that ${known.weakness} on ${known.asset} is resolved${isLate ? ', after its deadline' : ''}`,
      },
      outcome: { outcome_status: 'success', state_before: 'open', state_after: 'remediated' },
    });
    await this.#store(after(lineage, verified), { ...known, state: 'remediated' });
  }

  async #store(lineage: Lineage, exposure: Exposure): Promise<void> {
    await this.#parts.topics.publish('ctem.normalized', {
      key: exposure.exposure_key,
      lineage,
      value: exposure,
    });
    // A crash before this line publishes the exposure again. Consumers keep the last message of each key.
    await this.#exposures.put(exposure.tenant_id, exposure.exposure_key, exposure);
  }
}

/** One exposure per tenant, weakness and asset, whichever scanner reports it. */
function keyOf(tenantId: string, { weakness, asset }: Finding): string {
  return createHash('sha256')
    .update(JSON.stringify([tenantId, weakness.toLowerCase(), asset.toLowerCase()]))
    .digest('hex');
}
