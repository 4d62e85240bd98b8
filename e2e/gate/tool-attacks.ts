import { createAuditEmitter, type Transport } from '@tallystick/sdk';
import { expect } from 'vitest';
import { type Attack, codeOf, ForbiddenEffect } from './attack.ts';
import { policyOf, type Stage } from './stage.ts';

const ends = async (stage: Stage, correlationId: string) =>
  (await stage.story(correlationId)).filter(({ event_type }) => event_type === 'agent.action.completed');

/** A policy that must deny. */
function badPolicy(name: string, decide: () => unknown): Attack {
  return {
    name,
    caughtBy: 'the gate: only an exact decision in time counts, all else denies and is recorded',
    shows: 'DENIED, recorded denied',
    run: async (stage) => {
      const forbidden = new ForbiddenEffect();
      const correlationId = name;
      const gate = stage.gate({ policy: policyOf(decide as never), policyTimeoutMs: 50 });
      const code = await forbidden.codeOf(gate.run({ action: 'refund', correlationId }, forbidden.effect));
      const decided = (await stage.story(correlationId)).find(
        ({ event_type }) => event_type === 'agent.action.decided',
      );
      return `${code}, recorded ${(decided!.outcome as { outcome_status: string }).outcome_status}`;
    },
  };
}

export const toolAttacks: readonly Attack[] = [
  {
    name: 'a tool whose error message carries a secret into the trail',
    caughtBy: 'the record has the class of an error, not its message',
    shows: 'TypeError',
    run: async (stage) => {
      const failing = stage.gate().run({ action: 'leak', correlationId: 'leak' }, () => {
        throw new TypeError('password hunter2-is-it');
      });
      await expect(failing).rejects.toThrow('hunter2');
      const story = await stage.story('leak');
      expect(JSON.stringify(story)).not.toContain('hunter2');
      return (story.at(-1)!.outcome as { error_code: string }).error_code;
    },
  },
  {
    name: 'a tool that throws something whose name throws, so that no end is recorded',
    caughtBy: 'the gate records an end whatever the thrown value does',
    shows: 'failure',
    run: async (stage) => {
      const hostile = {
        get name(): string {
          throw new Error('unreadable');
        },
      };
      const failing = stage.gate().run({ action: 'odd', correlationId: 'odd-error' }, () => {
        throw hostile;
      });
      await expect(failing.catch((thrown: unknown) => thrown === hostile)).resolves.toBe(true);
      return (
        ((await ends(stage, 'odd-error'))[0]?.outcome as { outcome_status: string } | undefined)
          ?.outcome_status ?? 'no end'
      );
    },
  },
  {
    name: 'a tool that never ends, so that its caller waits and no end is recorded',
    caughtBy: 'the time limit of effects',
    shows: 'EFFECT_TIMED_OUT, recorded timed_out',
    run: async (stage) => {
      const gate = stage.gate({ effectTimeoutMs: 50 });
      const code = await codeOf(
        gate.run({ action: 'hang', correlationId: 'hang' }, () => new Promise(() => {})),
      );
      const [end] = await ends(stage, 'hang');
      return `${code}, recorded ${(end!.outcome as { outcome_status: string }).outcome_status}`;
    },
  },
  {
    name: 'a result that is not JSON, so that its record fails',
    caughtBy: 'the record leaves the digest out',
    shows: 'success',
    run: async (stage) => {
      await stage.gate().run({ action: 'odd', correlationId: 'odd-result' }, () => {
        const result: { self?: unknown; size: bigint; toJSON?: unknown } = { size: 1n };
        result.self = result;
        return result;
      });
      return ((await ends(stage, 'odd-result'))[0]!.outcome as { outcome_status: string }).outcome_status;
    },
  },
  {
    name: 'a thousand calls at once, to lose some of them',
    caughtBy: 'each call has its own intent, decision and end, acknowledged before its effect',
    shows: '1000 effects, 3000 records',
    run: async (stage) => {
      const gate = stage.gate();
      let effects = 0;
      const before = await stage.length();
      await Promise.all(
        Array.from({ length: 1_000 }, (_, at) =>
          gate.run({ action: 'burst', arguments: { at } }, () => {
            effects++;
          }),
        ),
      );
      await stage.audit.flush({ deadlineMs: 30_000 });
      return `${effects} effects, ${(await stage.length()) - before} records`;
    },
  },
  badPolicy('a policy that throws', () => {
    throw new Error('no');
  }),
  badPolicy('a policy that hangs', () => new Promise(() => {})),
  badPolicy('a policy that answers yes in another form', () => ({ effect: 'Allow' })),
  badPolicy('a policy that answers true', () => true),
  {
    name: 'a service that is away, so that the intent is not recorded',
    caughtBy: 'the gate: no acknowledgement, no effect',
    shows: 'NOT_ACKNOWLEDGED',
    run: async (stage) => {
      const away: Transport = {
        send: async () => {
          throw new Error('away');
        },
        close: async () => {},
      };
      const audit = createAuditEmitter({ service: 'r', transport: away, flushOnExit: false, maxRetries: 0 });
      const forbidden = new ForbiddenEffect();
      const gate = stage.gate({ audit, acknowledgeWithinMs: 50 });
      const code = await forbidden.codeOf(gate.run({ action: 'refund' }, forbidden.effect));
      await audit.close({ deadlineMs: 10 });
      return code;
    },
  },
  {
    name: 'a queue that accepts the intent but has not chained it',
    caughtBy: 'the gate: only chained counts as acknowledged',
    shows: 'NOT_ACKNOWLEDGED',
    run: async (stage) => {
      const queue: Transport = {
        send: async ({ events }) => events.map(() => ({ status: 'accepted', audit_id: '' })),
        close: async () => {},
      };
      const audit = createAuditEmitter({ service: 'r', transport: queue, flushOnExit: false });
      const forbidden = new ForbiddenEffect();
      const code = await forbidden.codeOf(stage.gate({ audit }).run({ action: 'refund' }, forbidden.effect));
      await audit.close({ deadlineMs: 10 });
      return code;
    },
  },
  {
    name: 'a retry of an operation that has run',
    caughtBy: 'the ledger of operations: one execution per idempotency key',
    shows: 'ALREADY_RUN after 1 run',
    run: async (stage) => {
      let runs = 0;
      const action = { action: 'pay', arguments: { to: 'x' }, idempotencyKey: 'pay-once' };
      const pay = () => {
        runs++;
      };
      await stage.gate().run(action, pay);
      const code = await codeOf(stage.gate().run(action, pay));
      return `${code} after ${runs} run`;
    },
  },
  {
    name: 'the idempotency key of a small payment for a large one',
    caughtBy: 'the ledger of operations: a key belongs to one document',
    shows: 'KEY_REUSED',
    run: async (stage) => {
      const action = { action: 'pay', arguments: { amount: 1 }, idempotencyKey: 'pay-small' };
      await stage.gate().run(action, () => undefined);
      const forbidden = new ForbiddenEffect();
      return await forbidden.codeOf(
        stage.gate().run({ ...action, arguments: { amount: 1_000 } }, forbidden.effect),
      );
    },
  },
  {
    name: 'twenty gates that run the same operation at once',
    caughtBy: 'the ledger of operations: one execution per idempotency key',
    shows: '1 run',
    run: async (stage) => {
      let runs = 0;
      const action = { action: 'pay', arguments: { to: 'y' }, idempotencyKey: 'pay-race' };
      await Promise.allSettled(
        Array.from({ length: 20 }, () =>
          stage.gate().run(action, () => {
            runs++;
          }),
        ),
      );
      return `${runs} run`;
    },
  },
];
