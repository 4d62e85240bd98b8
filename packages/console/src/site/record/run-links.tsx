import type { EventFilters } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { useResource } from '../elements/requests/resource.ts';
import { Icon } from '../elements/signs/icon.tsx';
import { useConsole } from '../session/console-context.ts';
import { textOf } from '../trail/event-text.ts';
import { startOfRun, subjectIdOf } from '../trail/timeline-subject.ts';

/** Runs of one correlation that are offered. */
const mostRuns = 3;

/**
 * Leads from what an agent did to the runs of its correlation. A record does not name its run, and a correlation may have several, so each
 * is offered by the name of its agent.
 */
export function RunLinks({ event }: { readonly event: EventView }) {
  const { client } = useConsole();
  const place = usePlace();
  const correlation = isOfAgent(event) ? textOf(event, 'correlation_id') : undefined;
  const tenant = String(event.tenant_id);
  const { value: runs = [] } = useResource(
    async (signal) => {
      if (correlation === undefined) return [];
      const filters = { correlation_id: correlation, event_type: startOfRun } as EventFilters;
      return (await client.events.list({ tenant_id: tenant, filters, limit: mostRuns }, { signal })).events;
    },
    [client, tenant, correlation],
  );
  // While the runs of another event are read, those of the last one are still here.
  const shown = runs.filter((run) => textOf(run, 'correlation_id') === correlation);
  return (
    <>
      {shown.map((run) => {
        const id = subjectIdOf(run, 'run_id');
        return (
          id !== undefined && (
            <a class="button" key={id} href={place.href('timeline', { run_id: id })}>
              <Icon name="flow" />
              Run of the agent {textOf(run, 'actor_id')}
            </a>
          )
        );
      })}
    </>
  );
}

/** Whether a run may have led to an event. Its first and last record name the run themselves. */
function isOfAgent(event: EventView): boolean {
  if (subjectIdOf(event, 'run_id') !== undefined) return false;
  const type = textOf(event, 'event_type') ?? '';
  const { context } = event;
  const hasAgent = typeof context === 'object' && context !== null && Object.hasOwn(context, 'ai_agent');
  return hasAgent || type.startsWith('agent.') || type.startsWith('approval.');
}
