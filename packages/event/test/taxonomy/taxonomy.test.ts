import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  agent,
  core,
  defineTaxonomy,
  EventCategory,
  EventTaxonomy,
  type EventTypeOf,
  isReservedEventType,
  log,
  type PayloadOf,
  shape,
  soc,
  type Taxonomy,
  typesOf,
} from '../../src/index.ts';

const { boolean, enumeration, integer, list, number, openObject, required, string } = shape;

const shop = defineTaxonomy({
  name: 'shop',
  types: {
    'order.placed': {
      category: 'action',
      description: 'An order was placed',
      payload: {
        metadata: required(
          openObject({
            order: required(string()),
            lines: required(list(openObject({ sku: required(string()), count: integer() }))),
            gift: boolean(),
            channel: enumeration(['web', 'till']),
          }),
        ),
        outcome: openObject({ total: number() }),
      },
    },
    'order.lost': { category: 'security', description: 'An order was lost' },
  },
});

describe('defineTaxonomy', () => {
  it('knows its types, categories and payloads at run time', () => {
    expect(shop.types).toEqual(['order.placed', 'order.lost']);
    expect(shop.categories).toEqual(['action', 'security']);
    expect(shop.find('order.placed')).toMatchObject({
      category: 'action',
      description: 'An order was placed',
    });
    expect(Object.keys(shop.find('order.placed')!.payload)).toEqual(['metadata', 'outcome']);
    expect(shop.find('order.lost')!.payload).toEqual({});
    for (const name of ['order.found', '__proto__', 'constructor', 'toString', '']) {
      expect(shop.find(name)).toBeUndefined();
    }
    expect(Object.isFrozen(shop)).toBe(true);
  });

  it.each(['order', 'Order.placed', 'order.', 'order placed', '__proto__'])('refuses the type %s', (type) => {
    const types = { [type]: { category: 'a', description: 'b' } };
    expect(() => defineTaxonomy({ name: 'bad', types })).toThrow(/taxonomy bad: malformed event type/);
  });

  it('has the names of its types in the type system', () => {
    expectTypeOf<EventTypeOf<typeof shop>>().toEqualTypeOf<'order.placed' | 'order.lost'>();
    expectTypeOf<'alert.classified'>().toExtend<EventTypeOf<typeof soc>>();
    // @ts-expect-error not a type of the taxonomy
    const wrong: EventTypeOf<typeof soc> = 'alert.classifed';
    expect(soc.find(wrong)).toBeUndefined();
  });

  it('is a taxonomy like any other, where a function takes any', () => {
    // It was not, once: the type parameter was invariant, and no options object took `soc`.
    const any: readonly Taxonomy[] = [shop, soc, core, log];
    expect(any.map((taxonomy) => taxonomy.name)).toEqual(['shop', 'soc', 'core', 'log']);
    expectTypeOf<EventTypeOf<Taxonomy>>().toEqualTypeOf<string>();
  });

  it('has the payloads of its types in the type system', () => {
    type Placed = PayloadOf<typeof shop, 'order.placed'>;
    const placed: Placed = {
      metadata: { order: 'o-1', lines: [{ sku: 's', count: 1 }], channel: 'web', extra: [1] },
    };
    expectTypeOf<Placed['metadata']['order']>().toEqualTypeOf<string>();
    expectTypeOf<Placed['metadata']['gift']>().toEqualTypeOf<boolean | undefined>();
    expectTypeOf<Placed['metadata']['channel']>().toEqualTypeOf<'web' | 'till' | undefined>();
    expectTypeOf<Placed['outcome']>().extract<undefined>().toEqualTypeOf<undefined>();
    // @ts-expect-error metadata is required
    const noMetadata: Placed = {};
    // @ts-expect-error order is required
    const noOrder: Placed = { metadata: { lines: [] } };
    // @ts-expect-error a count is a number
    const wrongCount: Placed = { metadata: { order: 'o', lines: [{ sku: 's', count: 'one' }] } };
    // @ts-expect-error no such channel
    const wrongChannel: Placed = { metadata: { order: 'o', lines: [], channel: 'fax' } };
    // @ts-expect-error the type declares no context
    const noContext: Placed = { metadata: placed.metadata, context: {} };
    // @ts-expect-error confidence is a number
    const wrongDecision: PayloadOf<typeof soc, 'alert.classified'> = { decision: { confidence: 'high' } };
    // @ts-expect-error no such outcome
    const wrongOutcome: PayloadOf<typeof core, 'auth.login'> = { outcome: { outcome_status: 'ok' } };
    // What the compiler refuses here, the run-time check refuses too: see validate.test.ts.
    expect([
      noMetadata,
      noOrder,
      wrongCount,
      wrongChannel,
      noContext,
      wrongDecision,
      wrongOutcome,
    ]).toHaveLength(7);
    expectTypeOf<PayloadOf<typeof shop, 'order.lost'>>().toEqualTypeOf<Record<never, never>>();
    expectTypeOf<PayloadOf<typeof shop, 'order.found'>>().toEqualTypeOf<never>();
  });
});

describe('the taxonomies that ship', () => {
  it('soc has 48 types in five categories, and each as a constant', () => {
    expect(soc.types).toHaveLength(48);
    expect(soc.categories.toSorted()).toEqual(Object.values(EventCategory).toSorted());
    expect(Object.values(EventTaxonomy)).toEqual(soc.types);
    expect(EventTaxonomy.INVESTIGATION_STATE_CHANGED).toBe('investigation.state_changed');
    expectTypeOf(EventTaxonomy.ALERT_CLASSIFIED).toEqualTypeOf<'alert.classified'>();
    // @ts-expect-error no such constant
    expect(EventTaxonomy.ALERT_CLASSIFED).toBeUndefined();
  });

  it('log holds reserved types only; the others hold none but genesis', () => {
    expect(log.types.filter((type) => !isReservedEventType(type))).toEqual([]);
    expect([...agent.types, ...core.types, ...soc.types].filter(isReservedEventType)).toEqual([
      'system.genesis',
    ]);
  });

  it('typesOf gives every type the same category and payload', () => {
    const types = typesOf('c', {}, { 'a.b': 'first', 'a.c': 'second' });
    expect(types).toEqual({
      'a.b': { category: 'c', description: 'first', payload: {} },
      'a.c': { category: 'c', description: 'second', payload: {} },
    });
  });
});
