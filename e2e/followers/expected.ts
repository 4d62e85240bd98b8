/** A record of a chain, as far as open intents depend on it. */
export interface ChainRecord {
  readonly tenant_id: string;
  readonly audit_id: string;
  readonly event_type: string;
  readonly parent_id: string | null;
  readonly target_id: string | null;
}

/** What the chains say about the actions of agents: a slow and simple model of the follower. */
export interface Expected {
  /** `tenant/intent/state` of every action that is not complete. */
  readonly open: readonly string[];
  /** Intents that are on record more than once as unresolved or unexplained. */
  readonly repeated: readonly string[];
}

/** @param records all records of all chains, each tenant's in chain order */
export function expectedOf(records: readonly ChainRecord[]): Expected {
  const open: string[] = [];
  const repeated: string[] = [];
  for (const [tenant, own] of Map.groupBy(records, ({ tenant_id }) => tenant_id)) {
    const states = new Map<string, string>();
    const intents = new Set<string>();
    const found = new Set<string>();
    for (const { audit_id, event_type, parent_id, target_id } of own) {
      if (event_type === 'agent.action.intended') {
        intents.add(audit_id);
        if (!states.delete(audit_id)) states.set(audit_id, 'open');
      } else if (event_type === 'agent.action.completed') {
        const state = states.get(parent_id!);
        if (state === 'open' || state === 'unresolved') states.delete(parent_id!);
        else if (state === undefined && !intents.has(parent_id!)) states.set(parent_id!, 'early');
      } else if (event_type === 'agent.action.unresolved' || event_type === 'agent.action.unexplained') {
        const isUnresolved = event_type === 'agent.action.unresolved';
        if (found.has(`${event_type} ${target_id}`)) repeated.push(`${tenant}/${target_id}/${event_type}`);
        found.add(`${event_type} ${target_id}`);
        if (states.get(target_id!) === (isUnresolved ? 'open' : 'early'))
          states.set(target_id!, isUnresolved ? 'unresolved' : 'unexplained');
      }
    }
    for (const [intent, state] of states) open.push(`${tenant}/${intent}/${state}`);
  }
  return { open: open.sort(), repeated };
}
