import { z } from 'zod';
import type { Controls } from '../../platform/controls.ts';
import type { PlannedAction } from '../../platform/investigation.ts';
import type { Units } from '../../platform/unit-of-work.ts';
import type { CallClient } from './call-client.ts';
import type { Calls } from './call-server.ts';
import { lineageForm, nameForm, scopeForm } from './forms.ts';

const timeoutMs = 10_000;

const killedForm = z.object({ tenantId: nameForm, scopes: z.array(scopeForm).max(10_000) });
const admitForm = z.object({
  lineage: lineageForm,
  // Governance reads id and kind; the response agent has checked the rest.
  action: z.looseObject({ action_id: nameForm, kind: nameForm }),
});

/** How far the platform may act by itself, for services in other processes. Governance decides. */
export function controlsCalls(controls: Controls, units: Units): Calls {
  return {
    isKilled: (argument) => {
      const { tenantId, scopes } = killedForm.parse(argument);
      return controls.isKilled(tenantId, scopes);
    },
    isShadow: (argument) => controls.isShadow(nameForm.parse(argument)),
    admitAutomatic: (argument) => {
      const { lineage, action } = admitForm.parse(argument);
      return units.run(() => controls.admitAutomatic(lineage, action as unknown as PlannedAction));
    },
  };
}

/** Anything else than a decision is an error: no answer must not count as "not killed". */
const decision = z.boolean();

/** Governance in another process. While it can't be reached, calls throw `Unavailable`: no action runs without its permission. */
export function remoteControls(governance: CallClient): Controls {
  const decide = async (name: string, argument: unknown) =>
    decision.parse(await governance.call(name, argument, timeoutMs));
  return {
    isKilled: (tenantId, scopes) => decide('isKilled', { tenantId, scopes }),
    isShadow: (tenantId) => decide('isShadow', tenantId),
    admitAutomatic: (lineage, action) => decide('admitAutomatic', { lineage, action }),
  };
}
