import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lineage } from './lineage.ts';

/**
 * What one piece of work wants to change: documents, messages, records. All of it takes effect together when the work ends, or none of it.
 * The work owns it; nothing else writes to it.
 */
export class Unit {
  isOpen = true;
  /** Changes of the store, in their order. */
  readonly writes: (() => void)[] = [];
  /** What the work itself must read of them: the text of a document, by its key. */
  readonly documents = new Map<string, string>();
  /** Events of the work, each with the event that led to it. */
  readonly parents = new Map<string, string | undefined>();
  /** Records that are stored and wait for the end of the work. */
  readonly marks: string[] = [];
  /** What happens after the work took effect. */
  readonly afterwards: (() => void)[] = [];
}

const current = new AsyncLocalStorage<Unit>();

/** Makes the changes of a piece of work take effect together. */
export interface Units {
  /**
   * Work within work belongs to the outer one.
   *
   * @throws what the work throws: then none of its changes takes effect
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** For services that keep everything in memory: each change takes effect at once. */
export const separateChanges: Units = { run: (work) => work() };

/** The work that is being done; `undefined` outside of any, and after its end. */
export function openUnit(): Unit | undefined {
  const unit = current.getStore();
  return unit?.isOpen ? unit : undefined;
}

export function within<T>(unit: Unit, work: () => Promise<T>): Promise<T> {
  return current.run(unit, work);
}

/** Does something outside of the work that is being done: it takes effect at once, and stays if the work fails. */
export function apart<T>(task: () => T): T {
  return current.exit(task);
}

/**
 * Does work in a unit of its own, which takes effect even if the open unit fails, such as the change of a circuit breaker.
 *
 * @param work is called with the lineage of what it records: events of the open unit may never take effect, so the work follows from
 *   what happened before them
 */
export function independently<T>(
  units: Units,
  lineage: Lineage,
  work: (lineage: Lineage) => Promise<T>,
): Promise<T> {
  const parentEventId = causeBefore(openUnit(), lineage.parentEventId);
  return apart(() => units.run(() => work({ ...lineage, parentEventId })));
}

/** The event that led to `event` and is not one of the open unit itself. */
export function causeBefore(unit: Unit | undefined, event: string | undefined): string | undefined {
  let cause = event;
  while (cause !== undefined && unit?.parents.has(cause)) cause = unit.parents.get(cause);
  return cause;
}

/** Calls `task` when the work that is being done took effect; never if it fails. Outside of any work it is called at once. */
export function afterwards(task: () => void): void {
  const unit = openUnit();
  if (unit === undefined) apart(task);
  else unit.afterwards.push(() => apart(task));
}
