import type { TimelineSummaryView, TimelineView } from '../api/timeline.ts';
import { forestOf } from './forest.ts';
import type { Timeline } from './read-timeline.ts';
import { summarize, type TimelineSummary } from './summary.ts';
import { inOrder, timelineRecord } from './timeline-record.ts';

/** A timeline as the API answers it. */
export function viewOfTimeline(timeline: Timeline): TimelineView {
  const { tenantId, subject, records, isCut, outside, outsideIsCut, deliveries, deliveriesAreCut } = timeline;
  const begin = records[0]?.time ?? 0;
  return {
    tenant_id: tenantId,
    ...subject,
    records: forestOf(records).map(({ record, depth, isRoot, end }) => ({
      depth,
      is_root: isRoot,
      elapsed_ms: record.time - begin,
      duration_ms: end - record.time,
      event: record.event,
    })),
    complete: !isCut,
    outside: [...outside].map(([audit_id, event]) => ({ audit_id, ...(event !== undefined && { event }) })),
    outside_complete: !outsideIsCut,
    deliveries,
    deliveries_complete: !deliveriesAreCut,
    summary: viewOfSummary(summarize(timeline)),
  };
}

/** The timeline that an answer of the API shows. */
export function timelineOf(view: TimelineView): Timeline {
  const { investigation_id, correlation_id, trace_id, run_id } = view;
  return {
    tenantId: view.tenant_id,
    subject: {
      ...(investigation_id !== undefined && { investigation_id }),
      ...(correlation_id !== undefined && { correlation_id }),
      ...(trace_id !== undefined && { trace_id }),
      ...(run_id !== undefined && { run_id }),
    },
    records: view.records.map(({ event }) => timelineRecord(event)).sort(inOrder),
    isCut: !view.complete,
    outside: new Map(view.outside.map(({ audit_id, event }) => [audit_id, event])),
    outsideIsCut: !view.outside_complete,
    deliveries: view.deliveries,
    deliveriesAreCut: !view.deliveries_complete,
  };
}

function viewOfSummary({
  models,
  people,
  effects,
  quarantined,
  missing,
}: TimelineSummary): TimelineSummaryView {
  return {
    models: models.map((total) => ({
      model: total.model,
      calls: total.calls,
      input_tokens: total.inputTokens,
      output_tokens: total.outputTokens,
      cost_usd: total.costUsd,
      latency_ms: total.latencyMs,
      calls_without_cost: total.withoutCost,
    })),
    people: people.map(({ person, did, latencyMs, comment, record }) => ({
      person,
      did,
      ...(latencyMs !== undefined && { latency_ms: latencyMs }),
      ...(comment !== undefined && { comment }),
      audit_id: record.id,
    })),
    effects: effects.map(({ action, target, ends, group, records }) => ({
      action,
      ...(target !== undefined && { target }),
      group,
      ends,
      audit_ids: records.map(({ id }) => id),
    })),
    quarantined: quarantined.map(({ id }) => id),
    missing,
  };
}
