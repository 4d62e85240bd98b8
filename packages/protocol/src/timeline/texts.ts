/** Numbers of a timeline as texts for people. */

/** A duration for people: `12 ms`, `3.60 s`, `2 m 5 s`, `3 h 12 m`, `4 d 1 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms < 10 && !Number.isInteger(ms) ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (ms < 59_995) return `${(ms / 1_000).toFixed(2)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Money to a millionth of a dollar, with two digits after the point at least. */
export function usd(amount: number): string {
  return `$${amount.toFixed(6).replace(/0{1,4}$/, '')}`;
}

/** `1 record`, `2 records`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
