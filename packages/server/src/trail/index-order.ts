/**
 * Whether the planner may read rows in another order than that of an index, and sort them. Where it may, it reads all rows that an index
 * finds before it sorts them, if it believes that they are few, or that the table is small. A limit then bounds nothing.
 */
export const inOrderOfIndex = (allowed: 'on' | 'off') =>
  `select set_config('enable_seqscan', '${allowed}', true), set_config('enable_bitmapscan', '${allowed}', true),
          set_config('enable_sort', '${allowed}', true)`;
