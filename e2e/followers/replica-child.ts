/** A replica of the service whose followers run, and which kills or freezes itself at a stage when the campaign asks for it. */
import { AuditService } from '@tallystick/server';
import type { Failpoint, ReplicaConfig } from './replica-messages.ts';

const config = JSON.parse(process.argv[2]!) as ReplicaConfig;
let failpoint: Failpoint | undefined;
/** Visits that came to the stage of the failpoint. */
let visits = 0;
process.on('message', (message) => {
  failpoint = message as Failpoint;
  visits = 0;
});
// The campaign has ended.
process.on('disconnect', () => process.exit());

await AuditService.open({
  // A frozen replica holds its locks. The time-out lets the other one go on within the patience of a test.
  store: { databaseUrl: config.databaseUrl, timeouts: { lockMs: 2_000, idleInTransactionMs: 1_000 } },
  signerDirectory: config.signerDirectory,
  logName: config.logName,
  checkpointIntervalMs: 0,
  approvalIntervalMs: 0,
  openIntents: config.openIntents,
  followers: {
    tickMs: 50,
    mergeMs: 200,
    leaseMs: 1_500,
    onStage: (follower, stage) => {
      if (stage !== failpoint?.stage || follower !== (failpoint.follower ?? follower)) return;
      const { signal, visit = 1 } = failpoint;
      if (++visits < visit) return;
      failpoint = undefined;
      // SIGKILL does not return. SIGSTOP returns when the campaign has sent SIGCONT.
      process.kill(process.pid, signal);
    },
  },
  observer: { onBackgroundError: (what, error) => console.error(what, error) },
});
process.send!('ready');
