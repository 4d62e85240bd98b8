const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar whose length is the share of a value in the largest one. A value above 0 has a bar that can be seen. */
export function bar(value: number, largest: number, width: number): string {
  if (!(value > 0) || !(largest > 0)) return '';
  const parts = Math.max(1, Math.round(Math.min(1, value / largest) * width * 8));
  return `${'█'.repeat(Math.floor(parts / 8))}${eighths[parts % 8]}`;
}
