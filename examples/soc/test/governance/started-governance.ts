import type { CountedActions } from '../../src/governance/accumulation-guard.ts';
import type { Canary } from '../../src/governance/canary.ts';
import { Governance } from '../../src/governance/governance.ts';
import { ListedIndicators } from '../../src/governance/indicators.ts';
import type { KillSwitch } from '../../src/governance/kill-switches.ts';
import type { KnowledgeIndex } from '../../src/governance/knowledge-base.ts';
import type { ChangedSetting } from '../../src/governance/setting-paths.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import type { PlannedAction } from '../../src/platform/investigation.ts';
import { defaultSettings, type Settings } from '../../src/platform/settings.ts';
import { newLineage, testParts } from '../platform-parts.ts';

/** Governance of a new platform. */
export async function start({ audit = true } = {}) {
  const parts = testParts({ audit });
  const documents = {
    killSwitches: new MemoryDocuments<KillSwitch>(),
    canaries: new MemoryDocuments<Canary>(),
    automaticActions: new MemoryDocuments<CountedActions>(),
    changedSettings: new MemoryDocuments<ChangedSetting>(),
    knowledge: new MemoryDocuments<KnowledgeIndex>(),
  };
  const started = async (settings: Settings) => {
    const governance = new Governance({
      ...{ ...parts, ...documents, settings },
      intelligence: new ListedIndicators(),
    });
    await governance.start();
    return governance;
  };
  const governance = await started(parts.settings);
  /** Governance of the next process. Only what is in documents is left. */
  const restarted = async () => {
    const settings = structuredClone(defaultSettings);
    return { governance: await started(settings), settings };
  };
  return {
    ...parts,
    governance,
    documents,
    restarted,
    types: () => parts.trail.events.map(({ event_type }) => event_type),
  };
}

/** A small action that asks whether it may run by itself. */
export const action: PlannedAction = {
  action_id: 'a-1',
  kind: 'block_ip',
  target: { type: 'ip', id: 'x' },
  tier: 1,
  reason: 'r',
};
export const acme = newLineage();
