/** Drawings of 16 by 16 that repeat a word beside them or a label, so a screen reader leaves them out. */
const paths = {
  activity: 'M1.5 8h3l2-5 3 10 2-5h3',
  alert: 'M8 2 14.5 13.5h-13zM8 6.5v3M8 11.5v.2',
  bookmark: 'M4 2h8v12l-4-3-4 3z',
  bell: 'M4 11V7a4 4 0 0 1 8 0v4l1 1.5H3zM6.8 14.2h2.4',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  chevron: 'm4.5 6.5 3.5 3.5 3.5-3.5',
  clock: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 4.8V8l2.2 1.5',
  close: 'm4 4 8 8M12 4l-8 8',
  columns: 'M2 3h12v10H2zM6 3v10M10 3v10',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  download: 'M8 2v8M4.8 7.2 8 10.4l3.2-3.2M2.5 13.5h11',
  filter: 'M2 3.5h12M4.5 8h7M6.8 12.5h2.4',
  flow: 'M3.5 2.5v11M3.5 5h5M3.5 11h5M8.5 3.5h4v3h-4zM8.5 9.5h4v3h-4z',
  home: 'M2.5 7.2 8 2.5l5.5 4.7v6.3h-11zM6.5 13.5V9.5h3v4',
  inbox: 'M2 9.5 4 3h8l2 6.5v4H2zM2 9.5h3.5l1 1.5h3l1-1.5H14',
  key: 'M9.5 6.5a3 3 0 1 0-2.6 3L8.5 11H10v1.5h1.5V14H14v-2.2L9.3 7.1',
  list: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  menu: 'M2 4h12M2 8h12M2 12h12',
  minus: 'M3.5 8h9',
  moon: 'M13.2 9.6A5.8 5.8 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8',
  people:
    'M6 7.5A2.3 2.3 0 1 0 6 3a2.3 2.3 0 0 0 0 4.5M1.8 13a4.2 4.2 0 0 1 8.4 0M10.5 3.3a2.2 2.2 0 0 1 0 4M11.8 9.5A4.2 4.2 0 0 1 14.2 13',
  refresh: 'M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 2v3.2h-3.2',
  search: 'M7 2.3a4.7 4.7 0 1 0 0 9.4 4.7 4.7 0 0 0 0-9.4M10.5 10.5 14 14',
  shield: 'M8 1.8 13.2 3.6v4c0 3.2-2.1 5.4-5.2 6.6-3.1-1.2-5.2-3.4-5.2-6.6v-4z',
  'shield-check':
    'M8 1.8 13.2 3.6v4c0 3.2-2.1 5.4-5.2 6.6-3.1-1.2-5.2-3.4-5.2-6.6v-4zM5.5 7.8l1.8 1.8 3.3-3.4',
  spark: 'M8 1.8 9.6 6.4 14.2 8 9.6 9.6 8 14.2 6.4 9.6 1.8 8l4.6-1.6z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  system: 'M2 3h12v8H2zM6 13.5h4',
  truck: 'M1.5 4h8v7h-8zM9.5 6.5h3l2 2.5v2h-5M4 11v.1a1.5 1.5 0 1 0 0 1.8M12 11.1a1.4 1.4 0 1 0 .1 2',
} as const;

/** Name of a drawing. */
export type IconName = keyof typeof paths;

/** A drawing beside a text. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
