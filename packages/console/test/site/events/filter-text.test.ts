import { expect, it } from 'vitest';
import { readFilterText } from '../../../src/site/events/filter-text.ts';

it('reads fields, negations, quotes and paths', () => {
  expect(
    readFilterText(' actor_id:jane -event_type:auth.*  target_id:"post 17" metadata.platform:web '),
  ).toEqual({
    conditions: [
      { field: 'actor_id', negated: false, values: ['jane'] },
      { field: 'event_type', negated: true, values: ['auth.*'] },
      { field: 'target_id', negated: false, values: ['post 17'] },
      { field: 'metadata.platform', negated: false, values: ['web'] },
    ],
  });
  expect(readFilterText('source_ip:2001:db8::/32')).toEqual({
    conditions: [{ field: 'source_ip', negated: false, values: ['2001:db8::/32'] }],
  });
  expect(readFilterText('')).toEqual({ conditions: [] });
});

it('says what is wrong', () => {
  expect(readFilterText('actor_id:jane login')).toEqual({
    complaint: '“login” is no filter. Write field:value, such as actor_id:jane or event_type:auth.*',
  });
  expect(readFilterText('colour:red')).toEqual({ complaint: 'There is no field “colour” to filter by.' });
  expect(readFilterText('actor_id:""')).toEqual({ complaint: 'The filter actor_id needs a value.' });
});
