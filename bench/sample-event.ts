import { uuidv7 } from '@tallystick/event';

/** An event of about 1 KB, as a security operations centre would emit it. */
export function sampleEvent(
  tenantId: string,
  at: string = new Date().toISOString(),
): Record<string, unknown> {
  return {
    actor_id: 'reasoning_agent',
    actor_type: 'agent',
    alert_id: 'alert-456',
    audit_id: uuidv7(),
    context: {
      evidence_refs: ['s3://evidence/a/b/c', 's3://evidence/a/b/d'],
      llm_cost_usd: 0.0123,
      llm_input_tokens: 1234,
      llm_latency_ms: 842,
      llm_model_id: 'model-x',
      llm_model_tier: '1',
      llm_output_tokens: 456,
      llm_provider: 'offline',
      taxonomy_version_attack: '15.1',
      techniques_identified: ['T1059', 'T1055'],
    },
    correlation_id: '0af7651916cd43dd8448eb211c80319c',
    decision: {
      classification: 'true_positive',
      confidence: 0.87,
      decision_type: 'classify',
      reasoning_summary:
        'An Office process started an encoded shell command, which connected to a domain that was registered yesterday.',
      recommended_actions: ['isolate', 'collect'],
      severity_assigned: 'high',
    },
    entity_ids: ['ent-1', 'ent-2'],
    event_category: 'decision',
    event_type: 'alert.classified',
    investigation_id: 'inv-123',
    outcome: { duration_ms: 931, outcome_status: 'success' },
    severity: 'info',
    source_service: 'orchestrator',
    target_id: 'host-17',
    target_type: 'host',
    tenant_id: tenantId,
    timestamp: at,
  };
}
