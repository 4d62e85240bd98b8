import { expect, test } from 'vitest';
import { kafkaHeaders, statementKind } from '../src/kafka-headers.ts';

test('header names are in lower case, have one prefix, and each is used once', () => {
  const names = Object.values(kafkaHeaders);
  for (const name of names) expect(name).toMatch(/^tallystick-[a-z]+(?:-[a-z]+)*$/);
  expect(new Set(names).size).toBe(names.length);
});

// Producers in other languages write these names, as spec/delivery.md gives them.
test('header names are those of the specification', () => {
  expect(kafkaHeaders).toEqual({
    producerId: 'tallystick-producer-id',
    producerSequence: 'tallystick-producer-seq',
    service: 'tallystick-service',
    ephemeral: 'tallystick-ephemeral',
    kind: 'tallystick-kind',
    principal: 'tallystick-principal',
    tenants: 'tallystick-tenants',
    refusal: 'tallystick-refusal',
  });
  expect(statementKind).toBe('statement');
});

test('header names can not be changed at run time', () => {
  expect(Object.isFrozen(kafkaHeaders)).toBe(true);
});
