import type { Register } from '../context.ts';
import { registerCanonical } from './formats/canonical.ts';
import { registerHash } from './formats/hash.ts';
import { registerApprovals } from './gate/approvals.ts';
import { registerHook } from './gate/hook.ts';
import { registerIntents } from './gate/intents.ts';
import { registerMcp } from './gate/mcp.ts';
import { registerPolicy } from './gate/policy.ts';
import { registerApiKeys } from './operate/api-keys.ts';
import { registerDlq } from './operate/dlq.ts';
import { registerFollowers } from './operate/followers.ts';
import { registerProducers } from './operate/producers.ts';
import { registerRecover } from './operate/recover.ts';
import { registerStrays } from './operate/strays.ts';
import { registerSubjects } from './operate/subjects.ts';
import { registerTenants } from './operate/tenants.ts';
import { registerTopics } from './operate/topics.ts';
import { registerViewerTokens } from './operate/viewer-tokens.ts';
import { registerWebhooks } from './operate/webhooks.ts';
import { registerEvents } from './read/events.ts';
import { registerMissing } from './read/missing.ts';
import { registerSearch } from './read/search.ts';
import { registerShow } from './read/show.ts';
import { registerStats } from './read/stats.ts';
import { registerTail } from './read/tail.ts';
import { registerTimeline } from './read/timeline.ts';
import { registerDemo } from './run/demo.ts';
import { registerDev } from './run/dev.ts';
import { registerMigrate } from './run/migrate.ts';
import { registerServe } from './run/serve.ts';
import { registerCompletion } from './setup/completion.ts';
import { registerConfig } from './setup/config.ts';
import { registerCheckpoint } from './verify/checkpoint.ts';
import { registerExport } from './verify/export.ts';
import { registerLogKeys } from './verify/log-keys.ts';
import { registerReceipt } from './verify/receipt.ts';
import { registerVerify } from './verify/verify.ts';
import { registerEmit } from './write/emit.ts';
import { registerImport } from './write/import.ts';

/** The commands, grouped by task, in the order of the help. Each group is a folder beside this file. */
export const commandGroups: readonly (readonly [group: string, commands: readonly Register[]])[] = [
  ['Try it and run it:', [registerDemo, registerDev, registerServe, registerMigrate]],
  ['Write events:', [registerEmit, registerImport]],
  [
    'Read events:',
    [
      registerEvents,
      registerSearch,
      registerStats,
      registerShow,
      registerTail,
      registerTimeline,
      registerMissing,
    ],
  ],
  ['Gate what agents do:', [registerMcp, registerHook, registerPolicy, registerApprovals, registerIntents]],
  [
    'Verify and prove:',
    [registerVerify, registerCheckpoint, registerReceipt, registerExport, registerLogKeys],
  ],
  [
    'Operate a service:',
    [
      registerTopics,
      registerTenants,
      registerProducers,
      registerApiKeys,
      registerSubjects,
      registerViewerTokens,
      registerDlq,
      registerRecover,
      registerFollowers,
      registerStrays,
      registerWebhooks,
    ],
  ],
  ['Write another implementation:', [registerCanonical, registerHash]],
  ['Set up tally itself:', [registerConfig, registerCompletion]],
];
