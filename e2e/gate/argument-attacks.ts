import { functionPolicy } from '@tallystick/sdk/gate';
import { expect } from 'vitest';
import { type Attack, ForbiddenEffect } from './attack.ts';
import { ask, policyOf, type Stage, tenant } from './stage.ts';

/** Denies amounts above 50. */
const limit = functionPolicy({
  name: 'limit',
  version: '1',
  decide: ({ arguments: given }) => ({
    effect: (given as { amount: number }).amount <= 50 ? 'allow' : 'deny',
  }),
});

/** Runs an action, and says which amount its effect got and which the trail shows. */
async function amounts(stage: Stage, correlationId: string, args: object): Promise<string> {
  let executed: unknown;
  await stage.gate({ policy: limit }).run({ action: 'refund', arguments: args, correlationId }, (copy) => {
    executed = (copy as { amount: unknown }).amount;
  });
  const [intent] = await stage.story(correlationId);
  const { amount } = (intent!.context as { arguments: { amount: number } }).arguments;
  return `executed ${String(executed)}, recorded ${amount}`;
}

/** An action whose arguments the gate must refuse. */
function refused(name: string, makeArguments: () => unknown): Attack {
  return {
    name,
    caughtBy: 'the gate copies arguments as bounded, plain JSON',
    shows: 'ARGUMENTS_INVALID',
    run: async (stage) => {
      const forbidden = new ForbiddenEffect();
      const action = { action: 'refund', arguments: makeArguments() };
      return await forbidden.codeOf(stage.gate().run(action, forbidden.effect));
    },
  };
}

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
};

export const argumentAttacks: readonly Attack[] = [
  {
    name: 'a getter that answers 40 to the policy and 4,000 to the tool',
    caughtBy: 'the gate reads arguments once; policy, record and effect get the same copy',
    shows: 'executed 40, recorded 40',
    run: async (stage) => {
      let reads = 0;
      const args = {
        get amount() {
          return reads++ === 0 ? 40 : 4_000;
        },
      };
      return await amounts(stage, 'getter', args);
    },
  },
  {
    name: 'a proxy whose answers change with every look',
    caughtBy: 'the gate reads arguments once; policy, record and effect get the same copy',
    shows: 'executed 1, recorded 1',
    run: async (stage) => {
      let reads = 0;
      const target = { amount: 0 };
      return await amounts(stage, 'proxy', new Proxy(target, { get: () => ++reads }));
    },
  },
  {
    name: 'arguments that are changed while the approval waits',
    caughtBy: 'the gate reads arguments once; policy, record and effect get the same copy',
    shows: 'executed 40',
    run: async (stage) => {
      const args = { amount: 40 };
      let executed = 0;
      const action = { action: 'refund', arguments: args, correlationId: 'changed-later' };
      const running = stage.gate({ policy: ask }).run(action, (copy) => {
        executed = copy.amount;
      });
      args.amount = 4_000;
      await stage.grant('changed-later');
      await running;
      return `executed ${executed}`;
    },
  },
  {
    name: 'a tool that changes its arguments, to change what was recorded',
    caughtBy: 'the effect gets a copy of its own',
    shows: 'recorded 40',
    run: async (stage) => {
      await stage
        .gate()
        .run({ action: 'refund', arguments: { amount: 40 }, correlationId: 'tool-writes' }, (copy) => {
          copy.amount = 4_000;
        });
      const [intent] = await stage.story('tool-writes');
      return `recorded ${(intent!.context as { arguments: { amount: number } }).arguments.amount}`;
    },
  },
  {
    name: 'a member named __proto__ that gives every object the right to refund',
    caughtBy: 'the copy keeps such a member as a member, and its prototype unchanged',
    shows: 'untouched',
    run: async (stage) => {
      const args = JSON.parse('{"amount":1,"__proto__":{"approved":true}}') as object;
      let inherited: unknown;
      await stage.gate().run({ action: 'refund', arguments: args }, (copy) => {
        inherited = (copy as { approved?: unknown }).approved;
      });
      return inherited === undefined && !('approved' in {}) ? 'untouched' : 'polluted';
    },
  },
  {
    name: 'a secret in the arguments, to get it into the trail and before the approver',
    caughtBy: 'redaction: the value becomes a salted commitment',
    shows: 'hidden',
    run: async (stage) => {
      const secret = `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`;
      const action = { action: 'pay', arguments: { token: secret, amount: 1 }, correlationId: 'secret' };
      let used: unknown;
      const running = stage.gate({ policy: ask }).run(action, (copy) => {
        used = copy.token;
      });
      const approval = await stage.grant('secret');
      await running;
      expect(used).toBe(secret);
      const shown = JSON.stringify([approval, await stage.story('secret')]);
      return shown.includes(secret) ? 'shown' : 'hidden';
    },
  },
  refused('arguments that contain themselves', () => {
    const args: { self?: unknown } = {};
    args.self = args;
    return args;
  }),
  refused('arguments of 10,000 levels', () => nested(10_000)),
  refused('a million members', () =>
    Object.fromEntries(Array.from({ length: 1e6 }, (_, at) => [`m${at}`, at])),
  ),
  refused('a text of 100 MB', () => ({ text: 'x'.repeat(1e8) })),
  refused('a list that claims four billion items', () => Object.assign([], { length: 2 ** 32 - 1 })),
  refused('an object whose toJSON shows something else', () => ({
    amount: 4_000,
    toJSON: () => ({ amount: 40 }),
  })),
  refused('an instance with hidden state', () => new Map([['amount', 4_000]])),
  refused('a number that JSON rounds', () => ({ amount: 9_007_199_254_740_993n })),
  refused('a lone surrogate, which writes as another character', () => ({ order: '\ud800' })),
  refused('a proxy that throws when it is read', () => {
    const fail = () => {
      throw new Error('no');
    };
    return new Proxy({}, { ownKeys: fail, get: fail, getPrototypeOf: fail });
  }),
  {
    name: 'a policy that is asked about another tenant than the record names',
    caughtBy: 'the key of the agent: the service refuses events of other tenants',
    shows: 'NOT_ACKNOWLEDGED',
    run: async (stage) => {
      const forbidden = new ForbiddenEffect();
      const action = { action: 'refund', tenantId: `${tenant}-next-door`, failOpen: true };
      return await forbidden.codeOf(
        stage.gate({ policy: policyOf(() => ({ effect: 'allow' })) }).run(action, forbidden.effect),
      );
    },
  },
];
