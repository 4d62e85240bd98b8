import type { Terminal } from 'tallystick/demo/story-parts';
import { type EventView, type LineKind, lineOf, textAt } from './record-line.ts';
import { screenLine } from './screen-line.ts';
import type { ReadRecord, TrailSize } from './trail-reader.ts';

const styles: { readonly [K in LineKind]: Parameters<Terminal['style']>[0] } = {
  news: 'cyan',
  danger: 'red',
  model: 'magenta',
  person: 'yellow',
  done: 'green',
  refused: 'dim',
};

const indent = 2;
const whatWidth = 12;

/** Shows what records say, one line each. Below them, a screen shows how long the trail is. */
export class LiveView {
  readonly #terminal: Terminal;
  readonly #tenantWidth: number;
  /** Alerts by the ids of their investigations: the number of the alert in this view, and its title. */
  readonly #alerts = new Map<string, { readonly number: number; readonly title: string }>();
  #hasStatus = false;

  constructor(terminal: Terminal, tenants: readonly string[]) {
    this.#terminal = terminal;
    this.#tenantWidth = Math.max(...tenants.map((tenant) => tenant.length));
  }

  async show(records: readonly ReadRecord[], size: TrailSize): Promise<void> {
    this.clearStatus();
    for (const record of records) await this.#showOne(record);
    this.#drawStatus(size);
  }

  /** Removes the line below the records. */
  clearStatus(): void {
    if (this.#hasStatus) this.#terminal.drawOver('');
    this.#hasStatus = false;
  }

  /** A file or a pipe gets no line that is drawn again and again. */
  #drawStatus({ records, signed }: TrailSize): void {
    if (!this.#terminal.showsProgress || this.#terminal.json) return;
    const text = `${' '.repeat(indent)}${records} records chained, ${signed} of them signed by the last checkpoints`;
    this.#terminal.drawOver(screenLine(text, this.#terminal.progressWidth - 1));
    this.#hasStatus = true;
  }

  /** Shows a record, if it says something new to a person. */
  async #showOne({ tenantId, event }: ReadRecord): Promise<void> {
    const alert = this.#alertOf(event);
    const line = lineOf(event, alert?.title ?? 'an alert that was not shown');
    if (line === undefined) return;
    const { kind, what, text } = line;
    if (this.#terminal.json) {
      const { sequence_number, audit_id, investigation_id } = event;
      const place = { tenant_id: tenantId, sequence_number, audit_id, investigation_id };
      return await this.#terminal.jsonLine({ step: 'record', ...place, what, text });
    }
    const number = String(alert?.number ?? '').padStart(3);
    const rest = `${tenantId.padEnd(this.#tenantWidth)} ${number}  ${text}`;
    const width = this.#terminal.tableWidth - indent - whatWidth;
    const styled = this.#terminal.style(styles[kind], what.padEnd(whatWidth));
    await this.#terminal.line(`${' '.repeat(indent)}${styled}${screenLine(rest, width)}`);
  }

  /** The alert that a record belongs to. Records of one investigation belong to one alert. */
  #alertOf(event: EventView) {
    const id = textAt(event, 'investigation_id');
    const title = textAt(event, 'context', 'alert_title');
    if (id !== '' && title !== '' && !this.#alerts.has(id)) {
      this.#alerts.set(id, { number: this.#alerts.size + 1, title });
    }
    return this.#alerts.get(id);
  }
}
