import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventErrorCodes, eventShape } from '@tallystick/event';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const spec = join(root, 'spec');
const read = (page: string) => readFileSync(join(spec, page), 'utf8');

describe('the specification', () => {
  it('names every field and every code of the event, and no others', () => {
    const text = read('event.md');
    const fields = text.slice(text.indexOf('| field |'), text.indexOf('- A *unit*'));
    const named = [...fields.matchAll(/^\| ([^|]+) \|/gm)]
      .flatMap(([, cell]) => cell!.split(', '))
      .filter((cell) => cell.startsWith('`'))
      .map((cell) => cell.slice(1, -1));
    expect(named.toSorted()).toEqual(Object.keys(eventShape.fields).toSorted());
    const refusals = text.slice(text.indexOf('## Refusals'), text.indexOf('## Canonical form'));
    const codes = new Set([...refusals.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, code]) => code));
    expect([...codes].toSorted()).toEqual([...eventErrorCodes].toSorted());
  });
});
