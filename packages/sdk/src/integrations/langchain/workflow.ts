/** Where a graph is. Nodes of one step run in parallel, and the nodes of the step before are where each of them came from. */
export class Workflow {
  #step = Number.NaN;
  #before: readonly string[] = [];
  #current: string[] = ['__start__'];

  /** A node begins. @returns the nodes before it, joined by commas */
  enter(node: string, step: number): string {
    if (step !== this.#step) {
      this.#step = step;
      this.#before = this.#current;
      this.#current = [];
    }
    this.#current.push(node);
    return this.#before.join(',');
  }

  /** The graph has ended. @returns the nodes of its last step */
  leave(): string {
    return this.#current.join(',');
  }
}
