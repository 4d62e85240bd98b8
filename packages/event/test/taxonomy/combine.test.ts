import { expect, expectTypeOf, test } from 'vitest';
import {
  agent,
  combineTaxonomies,
  defineTaxonomy,
  type EventTypeOf,
  log,
  type PayloadOf,
  soc,
  type Taxonomy,
} from '../../src/index.ts';

const triage = combineTaxonomies(soc, agent);

test('has the types of all, each once, in their order', () => {
  expect(triage.name).toBe('soc+agent');
  expect(triage.types).toEqual([...new Set([...soc.types, ...agent.types])]);
  expect(triage.categories).toEqual([...new Set([...soc.categories, ...agent.categories])]);
  expect(triage.find('agent.action.intended')).toBe(agent.find('agent.action.intended'));
  expect(triage.find('alert.classified')).toBe(soc.find('alert.classified'));
  for (const name of ['order.lost', '__proto__', 'constructor']) expect(triage.find(name)).toBeUndefined();
  expect(Object.isFrozen(triage)).toBe(true);
});

test('a type that several have is declared by the first', () => {
  expect(triage.find('approval.requested')).toBe(soc.find('approval.requested'));
  expect(combineTaxonomies(agent, soc).find('approval.requested')).toBe(agent.find('approval.requested'));
});

test('has types and payloads in the type system', () => {
  expectTypeOf<EventTypeOf<typeof triage>>().toEqualTypeOf<
    EventTypeOf<typeof soc> | EventTypeOf<typeof agent>
  >();
  expectTypeOf<PayloadOf<typeof triage, 'agent.model.called'>>().toEqualTypeOf<
    PayloadOf<typeof agent, 'agent.model.called'>
  >();
  expectTypeOf<PayloadOf<typeof triage, 'approval.granted'>>().toEqualTypeOf<
    PayloadOf<typeof soc, 'approval.granted'>
  >();
  // @ts-expect-error no such type
  const wrong: EventTypeOf<typeof triage> = 'alert.classifed';
  type Called = PayloadOf<typeof triage, 'agent.model.called'>;
  // @ts-expect-error a number of tokens is a number
  const wrongTokens: Called = { context: { 'gen_ai.usage.input_tokens': '7' } };
  expect([triage.find(wrong), wrongTokens]).toHaveLength(2);
});

test('combines any number, also combined ones and those without a static type', () => {
  const shop = defineTaxonomy({ name: 'shop', types: { 'order.lost': { category: 'a', description: 'b' } } });
  const all = combineTaxonomies(shop, triage, log);
  expect(all.name).toBe('shop+soc+agent+log');
  expectTypeOf<'order.lost' | 'alert.classified' | 'audit.read'>().toExtend<EventTypeOf<typeof all>>();
  const any: Taxonomy = shop;
  expect(combineTaxonomies(any, agent).types).toContain('order.lost');
  expect(combineTaxonomies(shop).types).toEqual(shop.types);
});
