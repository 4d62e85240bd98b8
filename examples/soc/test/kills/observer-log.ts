import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';

/** Something that really happened outside of the platform's own stores, or began to. */
export type Observation =
  | { readonly what: 'fed'; readonly name: string }
  | { readonly what: 'model called' | 'model answered'; readonly prompt: string }
  | { readonly what: 'action begun' | 'action done'; readonly tenantId: string; readonly actionId: string }
  | { readonly what: 'undo begun' | 'undo done'; readonly tenantId: string; readonly actionId: string };

/**
 * What an observer writes down that knows nothing of emitters and records. Each line is in the file before what it says goes on, so that
 * it survives a kill of the process.
 */
export class ObserverLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  write(observation: Observation): void {
    appendFileSync(this.#path, `${JSON.stringify(observation)}\n`);
  }

  /** Bytes that are written. An observation has about 80. */
  get size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  read(): Observation[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Observation);
  }
}
