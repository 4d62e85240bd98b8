/**
 * An agent that runs one action behind a gate, or that claims approvals on command. It writes a line to stdout at each step, and can stop
 * for good at one of them, so that the test kills it there.
 */
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createClient } from '@tallystick/client';
import type { ApprovalClaim } from '@tallystick/protocol';
import { createAuditEmitter } from '@tallystick/sdk';
import { createGate, GateError, rulePolicy } from '@tallystick/sdk/gate';
import { httpTransport } from '@tallystick/sdk/http';

/** Where the process stops: after the grant, after the claim, or in the effect. */
export type StopAt = 'granted' | 'claimed' | 'effect';

export interface ExecutorOrders {
  readonly url: string;
  readonly apiKey: string;
  readonly tenantId: string;
  /** Absent: the process claims the approvals that it reads from stdin. */
  readonly action?: {
    readonly idempotencyKey?: string | undefined;
    readonly stopAt?: StopAt | undefined;
    /** The effect: a line in this file. */
    readonly effectFile: string;
  };
}

const orders = JSON.parse(process.argv[2]!) as ExecutorOrders;
const { url, apiKey, tenantId } = orders;
const client = createClient({ url, apiKey });
const report = (line: string) => process.stdout.write(`${line}\n`);

if (orders.action === undefined) await claimOnCommand();
else await runAction(orders.action);

async function claimOnCommand(): Promise<void> {
  report('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const claim = JSON.parse(line) as ApprovalClaim;
    const answer = await client.approvals.claim(claim).then(
      ({ state }) => state as string,
      (error: { readonly problem?: { readonly code?: string } }) => error.problem?.code ?? String(error),
    );
    report(answer);
  }
}

async function runAction({
  idempotencyKey,
  stopAt,
  effectFile,
}: NonNullable<ExecutorOrders['action']>): Promise<void> {
  const at = async (step: StopAt) => {
    report(step);
    if (stopAt !== step) return;
    setInterval(() => undefined, 1_000_000);
    await new Promise(() => undefined);
  };
  const audit = createAuditEmitter({ service: 'refunds', transport: httpTransport({ url, apiKey }) });
  const gate = createGate({
    audit,
    policy: rulePolicy({ name: 'refunds', version: '1', rules: [], otherwise: 'ask' }),
    desk: {
      ...client.approvals,
      decided: async (...wait) => {
        const approval = await client.approvals.decided(...wait);
        await at('granted');
        return approval;
      },
      claim: async (claim) => {
        const approval = await client.approvals.claim(claim);
        await at('claimed');
        return approval;
      },
    },
    ledger: client.approvals,
    tenantId,
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    acknowledgeWithinMs: 30_000,
  });
  const action = {
    action: 'refund',
    arguments: { amount: 40 },
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
  const ended = await gate
    .run(action, async () => {
      appendFileSync(effectFile, 'refunded\n');
      await at('effect');
      return 'done';
    })
    .catch((error: unknown) =>
      error instanceof GateError ? `${error.code}: ${error.message}` : String(error),
    );
  await audit.close();
  report(`ended ${ended}`);
}
