import type { PlannedAction } from '../platform/investigation.ts';
import type { ActuatorReceipt, Actuators } from './actuators.ts';

/** One change of the simulated world, in the order in which it happened. */
export interface Change {
  readonly tenantId: string;
  readonly actionId: string;
  readonly kind: PlannedAction['kind'];
  readonly target: string;
  readonly change: 'done' | 'undone';
}

/**
 * A world in memory for demos and tests: it remembers what was blocked, isolated and stopped. Doing an action twice changes it twice, so
 * that a test notices.
 */
export class SimulatedPlant implements Actuators {
  readonly changes: Change[] = [];
  /** Makes an action fail. */
  failing: (action: PlannedAction) => boolean = () => false;

  async execute(tenantId: string, action: PlannedAction): Promise<ActuatorReceipt> {
    if (this.failing(action)) throw new Error(`the system that does ${action.kind} refused`);
    return this.#note(tenantId, action, 'done');
  }

  async undo(tenantId: string, action: PlannedAction): Promise<ActuatorReceipt> {
    return this.#note(tenantId, action, 'undone');
  }

  /** What is in force now: actions that were done and not undone. */
  inForce(tenantId: string): string[] {
    const last = new Map<string, Change>();
    for (const change of this.changes) if (change.tenantId === tenantId) last.set(change.actionId, change);
    return [...last.values()]
      .filter(({ change }) => change === 'done')
      .map(({ kind, target }) => `${kind} ${target}`);
  }

  #note(
    tenantId: string,
    { action_id, kind, target }: PlannedAction,
    change: Change['change'],
  ): ActuatorReceipt {
    this.changes.push({ tenantId, actionId: action_id, kind, target: `${target.type}:${target.id}`, change });
    return { reference: `change-${this.changes.length}` };
  }
}
