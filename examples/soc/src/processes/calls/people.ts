import { z } from 'zod';
import type { BatchScheduler } from '../../batch-scheduler/batch-scheduler.ts';
import type { Governance } from '../../governance/governance.ts';
import type { Documents } from '../../platform/documents.ts';
import type { FalsePositivePattern } from '../../platform/knowledge.ts';
import type { ResponseAgent } from '../../response-agent/response-agent.ts';
import type { Calls } from './call-server.ts';
import { nameForm, personForm, scopeForm } from './forms.ts';

const reason = z.string().min(1).max(2_000);
const patternForm = z.object({ ...personForm, tenantId: nameForm, patternId: nameForm });
const revokeForm = z.object({ ...personForm, tenantId: nameForm, patternId: nameForm, reason });
const killForm = z.object({ ...personForm, scope: scopeForm, reason });
const goLiveForm = z.object({ ...personForm, reason });
const rollBackForm = z.object({ tenantId: nameForm, planId: nameForm, person: nameForm, reason });

/** What people do with the batch scheduler: they let it review what waits, and decide about patterns. */
export function schedulerCalls(scheduler: BatchScheduler, patterns: Documents<FalsePositivePattern>): Calls {
  return {
    flush: async () => {
      await scheduler.flush();
      return { waiting: scheduler.waiting };
    },
    patterns: (argument) => patterns.list(nameForm.parse(argument)),
    approvePattern: (argument) => {
      const { tenantId, patternId, person, lineage } = patternForm.parse(argument);
      return scheduler.approve(tenantId, patternId, person, lineage);
    },
    revokePattern: (argument) => {
      const { tenantId, patternId, person, reason, lineage } = revokeForm.parse(argument);
      return scheduler.revoke(tenantId, patternId, person, reason, lineage);
    },
  };
}

/** What people decide about the platform itself. */
export function governanceCalls(governance: Governance): Calls {
  return {
    activateKillSwitch: (argument) => {
      const { scope, person, reason, lineage } = killForm.parse(argument);
      return governance.activateKillSwitch(scope, person, reason, lineage);
    },
    deactivateKillSwitch: (argument) => {
      const { scope, person, reason, lineage } = killForm.parse(argument);
      return governance.deactivateKillSwitch(scope, person, reason, lineage);
    },
    approveGoLive: (argument) => {
      const { person, reason, lineage } = goLiveForm.parse(argument);
      return governance.approveGoLive(person, reason, lineage);
    },
  };
}

/** A person undoes what a plan did. */
export function responseCalls(agent: ResponseAgent): Calls {
  return {
    rollBack: (argument) => {
      const { tenantId, planId, person, reason } = rollBackForm.parse(argument);
      return agent.rollBack(tenantId, planId, person, reason);
    },
  };
}
