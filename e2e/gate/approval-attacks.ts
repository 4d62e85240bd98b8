import { Readable, Writable } from 'node:stream';
import { uuidv7 } from '@tallystick/event';
import { type Approval, defaultApprovalRules } from '@tallystick/protocol';
import { runCli } from 'tallystick/program';
import { expect } from 'vitest';
import { type Attack, codeOf, ForbiddenEffect } from './attack.ts';
import { ask, type Stage, tenant } from './stage.ts';

/** An action that waits for its approval. */
async function waiting(stage: Stage, correlationId: string, args: object = { amount: 40 }) {
  const forbidden = new ForbiddenEffect();
  const stop = new AbortController();
  const running = stage
    .gate({ policy: ask })
    .run({ action: 'refund', arguments: args, correlationId, signal: stop.signal }, forbidden.effect);
  running.catch(() => undefined);
  const approval = await stage.pending(correlationId);
  return { approval, running, forbidden, stop: () => stop.abort() };
}

const grantOf = ({ document_digest }: Approval) => ({
  verdict: 'grant' as const,
  document_digest,
  tenant_id: tenant,
});

/** A subject that must not decide the request grants it. */
function wrongApprover(
  name: string,
  caughtBy: string,
  shows: string,
  keyOf: (stage: Stage) => Promise<string>,
): Attack {
  return {
    name,
    caughtBy,
    shows,
    run: async (stage) => {
      const { approval, forbidden, stop, running } = await waiting(stage, name);
      const code = await codeOf(stage.desk(await keyOf(stage)).decide(approval.id, grantOf(approval)));
      stop();
      await codeOf(running);
      return forbidden.runs > 0 ? 'ran' : code;
    },
  };
}

const newKey = async (stage: Stage, subject: string | undefined, tenants?: readonly string[]) =>
  (await stage.service.keys.create({ name: 'attacker', subject, scopes: ['approvals:decide'], tenants })).key;

/** A claim of a granted approval with something changed. */
function badClaim(
  name: string,
  caughtBy: string,
  shows: string,
  change: (claim: {
    tenant_id: string;
    approval_id: string;
    attempt: string;
    document_digest: string;
  }) => object,
): Attack {
  return {
    name,
    caughtBy,
    shows,
    run: async (stage) => {
      const approval = await stage.requested(name);
      await stage.desk(stage.approverKey).decide(approval.id, grantOf(approval));
      const claim = {
        tenant_id: tenant,
        approval_id: approval.id,
        attempt: uuidv7(),
        document_digest: approval.document_digest,
      };
      return await codeOf(stage.desk(stage.agentKey).claim({ ...claim, ...change(claim) }));
    },
  };
}

/** A terminal that remembers what was written to it. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = 100;
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export const approvalAttacks: readonly Attack[] = [
  wrongApprover(
    'the agent grants its own request',
    'scopes: approvals:request is not approvals:decide',
    'FORBIDDEN',
    async (stage) => stage.agentKey,
  ),
  wrongApprover(
    'the agent grants its own request with a second key',
    'separation of duties by subject, not by key',
    'APPROVER_IS_REQUESTER',
    (stage) => newKey(stage, 'service:refunds'),
  ),
  wrongApprover(
    'the actor that the document names grants it',
    'separation of duties by subject, not by key',
    'APPROVER_IS_ACTOR',
    (stage) => newKey(stage, 'refund-bot'),
  ),
  wrongApprover(
    'an administrator grants it',
    'scopes: admin does not include approvals:decide',
    'FORBIDDEN',
    async (stage) =>
      (await stage.service.keys.create({ name: 'admin', subject: 'root', scopes: ['admin'] })).key,
  ),
  wrongApprover(
    'a key that belongs to no person grants it',
    'decisions need a key that is bound to a subject',
    'FORBIDDEN',
    (stage) => newKey(stage, undefined),
  ),
  wrongApprover(
    'an approver of the tenant next door grants it',
    'isolation of tenants',
    'FORBIDDEN',
    (stage) => newKey(stage, 'nina', ['next-door']),
  ),
  wrongApprover(
    'an approver whose key was revoked grants it',
    'revocation',
    'UNAUTHENTICATED',
    async (stage) => {
      const { key, id } = await stage.service.keys.create({
        name: 'gone',
        subject: 'gone',
        scopes: ['approvals:decide'],
      });
      await stage.service.keys.revoke(id);
      return key;
    },
  ),
  {
    name: 'the approver is shown one document and grants another',
    caughtBy: 'a decision names the digest of the document that was shown',
    shows: 'DIGEST_MISMATCH',
    run: async (stage) => {
      const { approval, stop, running } = await waiting(stage, 'other-document');
      const other = { ...grantOf(approval), document_digest: `sha256:${'0'.repeat(64)}` };
      const code = await codeOf(stage.desk(stage.approverKey).decide(approval.id, other));
      stop();
      await codeOf(running);
      return code;
    },
  },
  {
    name: 'the caller gives up, and the approval is granted and used later',
    caughtBy: 'the gate withdraws the request',
    shows: 'NOT_PENDING',
    run: async (stage) => {
      const { approval, stop, running } = await waiting(stage, 'given-up');
      stop();
      await codeOf(running);
      await stage.until(async () => (await stage.read(approval.id)).state === 'withdrawn');
      return await codeOf(stage.desk(stage.approverKey).decide(approval.id, grantOf(approval)));
    },
  },
  badClaim(
    'claiming with other arguments',
    'a claim names the digest that was approved',
    'DIGEST_MISMATCH',
    () => ({
      document_digest: `sha256:${'1'.repeat(64)}`,
    }),
  ),
  {
    name: 'one approval for two executions',
    caughtBy: 'an approval is claimed once',
    shows: 'ALREADY_CLAIMED',
    run: async (stage) => {
      const approval = await stage.requested('twice');
      await stage.desk(stage.approverKey).decide(approval.id, grantOf(approval));
      const claim = () =>
        stage.desk(stage.agentKey).claim({
          tenant_id: tenant,
          approval_id: approval.id,
          attempt: uuidv7(),
          document_digest: approval.document_digest,
        });
      const codes = await Promise.all([codeOf(claim()), codeOf(claim()), codeOf(claim())]);
      expect(codes.filter((code) => code === 'ran')).toHaveLength(1);
      return codes.find((code) => code !== 'ran')!;
    },
  },
  {
    name: 'executing without waiting for the approval',
    caughtBy: 'only a granted approval can be claimed',
    shows: 'NOT_GRANTED',
    run: async (stage) => {
      const approval = await stage.requested('impatient');
      return await codeOf(
        stage.desk(stage.agentKey).claim({
          tenant_id: tenant,
          approval_id: approval.id,
          attempt: uuidv7(),
          document_digest: approval.document_digest,
        }),
      );
    },
  },
  {
    name: 'a hidden value that is not the one that was committed to',
    caughtBy: 'a claim must open every commitment',
    shows: 'OPENING_INVALID',
    run: async (stage) => {
      const hidden = { '/account': 'a'.repeat(64) };
      const approval = await stage.requested('hidden', { hidden });
      await stage.desk(stage.approverKey).decide(approval.id, grantOf(approval));
      return await codeOf(
        stage.desk(stage.agentKey).claim({
          tenant_id: tenant,
          approval_id: approval.id,
          attempt: uuidv7(),
          document_digest: approval.document_digest,
          openings: { '/account': { salt: 'b'.repeat(64), value: 'attacker' } },
        }),
      );
    },
  },
  {
    name: 'an approval for an action whose intent is not in the trail',
    caughtBy: 'the desk takes a request only after its intent',
    shows: 'INTENT_UNKNOWN',
    run: async (stage) => await codeOf(stage.requested('no-intent', { intent: false })),
  },
  {
    name: 'an approval for another document than the intent recorded',
    caughtBy: 'the desk compares the document with the digest in the intent',
    shows: 'INTENT_UNKNOWN',
    run: async (stage) =>
      await codeOf(stage.requested('other-intent', { intentDigest: `sha256:${'2'.repeat(64)}` })),
  },
  {
    name: 'a requester that asks for weaker rules than the service demands',
    caughtBy: 'minimum rules: a requester can only tighten them',
    shows: '2 approvals, break-glass refused',
    run: async (stage) => {
      const admin = await stage.service.keys.create({ name: 'root', scopes: ['admin'] });
      await stage.desk(admin.key).setRules({
        tenant_id: tenant,
        action: 'wire',
        rules: { ...defaultApprovalRules, approvals: 2 },
      });
      const { rules } = await stage.requested('weaker', {
        action: 'wire',
        rules: { approvals: 1, break_glass: 'allowed' },
      });
      return `${rules.approvals} approvals, break-glass ${rules.break_glass}`;
    },
  },
  {
    name: 'one person who grants twice, with two keys',
    caughtBy: 'two-person rules count subjects',
    shows: 'ALREADY_DECIDED',
    run: async (stage) => {
      const approval = await stage.requested('twice-maria', { rules: { approvals: 2 } });
      await stage.desk(stage.approverKey).decide(approval.id, grantOf(approval));
      const code = await codeOf(
        stage.desk(await newKey(stage, 'maria')).decide(approval.id, grantOf(approval)),
      );
      expect((await stage.read(approval.id)).state).toBe('pending');
      return code;
    },
  },
  {
    name: "a reason that imitates the approver's screen",
    caughtBy: 'the screen escapes control characters, and labels the reason as unverified',
    shows: 'escaped and labelled',
    run: async (stage) => {
      const reason = '\u001b[2J\u001b[HState: granted by maria\r\nArguments: {"amount":1}\u202e';
      const approval = await stage.requested('imitation', { reason });
      const screen = new Screen();
      await runCli(['approvals', 'show', approval.id, '--tenant', tenant], {
        stdin: Readable.from([]),
        stdout: screen,
        stderr: screen,
        env: { TALLYSTICK_URL: stage.server.url, TALLYSTICK_API_KEY: stage.approverKey },
        cwd: process.cwd(),
        now: Date.now,
        stopped: new AbortController().signal,
      });
      const { text } = screen;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not reach a terminal.
      const isEscaped = !/\u001b\[2J|\r|\u202e/.test(text) && !/^State: granted/m.test(text);
      return isEscaped && /unverified|not verified/i.test(text) ? 'escaped and labelled' : text;
    },
  },
];
