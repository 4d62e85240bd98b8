import type { Alert } from '../platform/alert.ts';
import type { Controls } from '../platform/controls.ts';
import type { Detection } from '../platform/detection.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Exposure } from '../platform/exposure.ts';
import {
  type Investigation,
  type InvestigationState,
  investigationIdOf,
  type ResponseReport,
} from '../platform/investigation.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import type { Reasoner } from '../platform/reasoning.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import { type Message, RejectedMessage, Unavailable } from '../platform/topics.ts';
import { investigationGraph } from './investigation-graph.ts';
import { InvestigationRecords } from './investigation-records.ts';
import { InvestigationStates, type StoredInvestigation } from './investigation-states.ts';
import { InvestigationSteps } from './investigation-steps.ts';
import { Surroundings } from './surroundings.ts';

export interface OrchestratorParts extends ServiceParts {
  readonly reasoner: Reasoner;
  readonly controls: Controls;
  /** Written by the batch scheduler. */
  readonly patterns: Documents<FalsePositivePattern>;
  /** @defaultValue in memory */
  readonly investigations?: Documents<StoredInvestigation> | undefined;
  /** @defaultValue in memory */
  readonly exposures?: Documents<Exposure> | undefined;
  /** @defaultValue in memory */
  readonly detections?: Documents<Detection> | undefined;
}

/** States in which the orchestrator waits for nothing more from the alert itself. */
const settledStates: ReadonlySet<InvestigationState> = new Set([
  'awaiting_human',
  'responding',
  'closed',
  'failed',
]);

const isOver: ReadonlySet<InvestigationState> = new Set(['closed', 'failed']);

/** Leads each alert through an investigation, as a graph of LangGraph, and records every step from one state to another. */
export class Orchestrator implements Service {
  readonly name = 'orchestrator';
  readonly #parts: OrchestratorParts;
  readonly #states: InvestigationStates;
  readonly #surroundings: Surroundings;
  readonly #graph: ReturnType<typeof investigationGraph>;
  #subscriptions: (() => Promise<void>)[] = [];

  constructor(parts: OrchestratorParts) {
    const { topics, clock, settings, ids, audit } = parts;
    this.#parts = parts;
    const records = new InvestigationRecords(new Recorder(this.name, ids, audit), settings);
    const keep = settings.memory.documentsPerTenant;
    const investigations =
      parts.investigations ??
      new MemoryDocuments({ keep, mayDrop: ({ investigation: { state } }) => isOver.has(state) });
    this.#states = new InvestigationStates({ investigations, records, topics, clock });
    this.#surroundings = new Surroundings({
      exposures: parts.exposures ?? new MemoryDocuments(),
      detections: parts.detections ?? new MemoryDocuments({ keep }),
      clock,
      settings: settings.investigation,
    });
    this.#graph = investigationGraph(
      new InvestigationSteps({ ...parts, states: this.#states, surroundings: this.#surroundings, records }),
    );
  }

  async start(): Promise<void> {
    const { topics } = this.#parts;
    this.#subscriptions = [
      await topics.subscribe('ctem.normalized', this.name, ({ value }) =>
        this.#surroundings.keepExposure(value),
      ),
      await topics.subscribe('atlas.detections', this.name, ({ value }) =>
        this.#surroundings.keepDetection(value),
      ),
      await topics.subscribe('actions.settled', this.name, (message) => this.#settle(message)),
      await topics.subscribe('alerts.normalized', this.name, (message) => this.#investigate(message)),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((unsubscribe) => unsubscribe()));
  }

  /** @returns `undefined` if there is no such investigation of the tenant */
  async find(tenantId: string, investigationId: string): Promise<Investigation | undefined> {
    return (await this.#states.find(tenantId, investigationId))?.investigation;
  }

  async #investigate({ value: alert, lineage }: Message<Alert>): Promise<void> {
    const investigationId = investigationIdOf(alert.alert_id);
    const known = await this.#states.find(alert.tenant_id, investigationId);
    // The alert was delivered twice.
    if (known !== undefined && settledStates.has(known.investigation.state)) return;
    const ofInvestigation = { ...lineage, alertId: alert.alert_id, investigationId };
    try {
      await this.#graph.invoke({ alert, lineage: ofInvestigation });
    } catch (error) {
      const stored = await this.#states.find(alert.tenant_id, investigationId);
      // Nothing is stored yet, or another service is away: the topic delivers the alert again.
      if (stored === undefined || error instanceof Unavailable) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      await this.#states.fail(
        stored.lineage,
        stored.investigation,
        `an error ended the investigation: ${reason}`,
      );
    }
  }

  /** The response agent has ended a plan. */
  async #settle({ value: report }: Message<ResponseReport>): Promise<void> {
    const stored = await this.#states.find(report.tenant_id, report.investigation_id);
    if (stored === undefined) {
      throw new RejectedMessage('INVESTIGATION_UNKNOWN', 'there is no such investigation of the tenant');
    }
    let { investigation, lineage } = stored;
    // The report was delivered twice.
    if (investigation.state !== 'awaiting_human' && investigation.state !== 'responding') return;
    const count = (...results: string[]) =>
      report.results.filter(({ result }) => results.includes(result)).length;
    const problems = count('failed', 'unknown', 'rolled_back');
    if (investigation.state === 'awaiting_human' && count('executed') > 0) {
      const moved = await this.#states.move(lineage, investigation, 'responding', 'people have decided');
      ({ investigation, lineage } = moved);
    }
    const summary = `${count('executed', 'shadowed')} of ${report.results.length} actions done, ${count('denied')} denied, ${count('timed_out')} timed out, ${problems} with problems`;
    const isHuman = investigation.state === 'awaiting_human' || count('denied', 'timed_out') > 0;
    const by = count('timed_out') > 0 ? 'timeout' : isHuman ? 'human' : 'response';
    if (problems > 0) await this.#states.fail(lineage, investigation, summary);
    else await this.#states.close(lineage, investigation, by, summary);
  }
}
