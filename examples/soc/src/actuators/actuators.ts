import type { PlannedAction } from '../platform/investigation.ts';

/** What an actuator says about an action that it did. */
export interface ActuatorReceipt {
  /** The id of the change in the system that was changed. */
  readonly reference: string;
}

/** Changes the outside world: firewalls, endpoint agents, identity providers, plant control. */
export interface Actuators {
  /** @throws if the system refused or can't be reached: then nothing was changed */
  execute(tenantId: string, action: PlannedAction): Promise<ActuatorReceipt>;
  /** Undoes an action that {@link execute} did. */
  undo(tenantId: string, action: PlannedAction): Promise<ActuatorReceipt>;
}
