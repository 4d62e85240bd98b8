import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import type { Attack } from './attack.ts';
import { type Stage, tenant } from './stage.ts';

/** Submits an event with the agent's key, and says how the service answers. */
async function submit(stage: Stage, event_type: string, more: object = {}): Promise<string> {
  const client = createClient({ url: stage.server.url, apiKey: stage.agentKey });
  const event = {
    audit_id: uuidv7(),
    tenant_id: tenant,
    timestamp: new Date().toISOString(),
    event_type,
    actor_type: 'agent',
    actor_id: 'refund-bot',
    source_service: 'refunds',
    ...more,
  };
  const [result] = await client.events.submit([event]);
  return result!.status === 'rejected' ? result!.error!.code : result!.status;
}

/** An event that only the service may write. */
function forged(event_type: string, what: string): Attack {
  return {
    name: `the agent writes ${event_type} itself, ${what}`,
    caughtBy: 'types of the service are reserved',
    shows: 'EVENT_TYPE_RESERVED',
    run: (stage) => submit(stage, event_type),
  };
}

export const recordAttacks: readonly Attack[] = [
  forged('agent.action.unresolved', 'to spoil the list of open intents'),
  forged('agent.action.unexplained', 'to spoil the list of open intents'),
  forged('audit.read', 'to hide real reads among invented ones'),
  {
    name: 'the agent calls the tool without the gate',
    caughtBy: 'the follower of open intents: an effect without an intent is put on record',
    shows: 'agent.action.unexplained, listed, 1 in the metric',
    run: async (stage) => {
      // The tool is instrumented and records its effect. No gate has recorded what the agent was about to do.
      const intent = uuidv7();
      await submit(stage, 'agent.action.completed', {
        parent_id: intent,
        correlation_id: 'around-the-gate',
        context: { action: 'wire' },
      });
      await stage.until(async () => (await stage.openIntents('unexplained')).length > 0);
      const [listed] = await stage.openIntents('unexplained');
      const isOurs =
        listed!.intent_id === intent && listed!.actor_id === 'refund-bot' && listed!.action === 'wire';
      const type = await stage.typeOf(listed!.finding_id!);
      const counted = await stage.metric('tallystick_intents_unexplained');
      return `${type}, ${isOurs ? 'listed' : 'not listed'}, ${counted} in the metric`;
    },
  },
  {
    name: 'the agent writes approval.granted itself',
    caughtBy: 'the desk decides by its own state; a record of a client is marked as claimed',
    shows: 'claimed, and still not granted',
    run: async (stage) => {
      const approval = await stage.requested('forged-grant');
      await submit(stage, 'approval.granted', {
        parent_id: approval.intent_id,
        correlation_id: 'forged-grant',
        context: { approval_id: approval.id },
      });
      const forgery = (await stage.story('forged-grant')).find(
        ({ event_type }) => event_type === 'approval.granted',
      );
      const { state } = await stage.read(approval.id);
      const mark = forgery === undefined ? 'refused' : forgery.claimed === true ? 'claimed' : 'believed';
      return `${mark}, and ${state === 'pending' ? 'still not granted' : state}`;
    },
  },
  {
    name: 'an event in the name of the service itself',
    caughtBy: 'no client may claim the actor of the service',
    shows: 'ACTOR_RESERVED',
    run: (stage) => submit(stage, 'agent.action.decided', { actor_type: 'system', actor_id: 'tallystick' }),
  },
  {
    name: 'an end with the id of an intent that was recorded, to replace it',
    caughtBy: 'one record per audit_id: other content is a conflict',
    shows: 'conflict',
    run: async (stage) => {
      await stage.gate().run({ action: 'refund', correlationId: 'replace' }, () => undefined);
      const [intent] = await stage.story('replace');
      return await submit(stage, 'agent.action.abandoned', { audit_id: intent!.audit_id });
    },
  },
];
