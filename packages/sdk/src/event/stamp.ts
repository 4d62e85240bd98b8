/** RFC 3339 text of "now", with all but the milliseconds kept from the last second: `toISOString` costs five times as much. */
export class TimestampWriter {
  #second = Number.NaN;
  #prefix = '';

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
