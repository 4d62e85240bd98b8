import { createHash } from 'node:crypto';
import { canonicalize, type Json } from '@tallystick/event';

/** What is remembered must not grow with the number of clients, nor with that of tools. */
const maxSessions = 1_000;
const maxTools = 1_000;

/** The definitions of tools that the server has listed, by session: servers may offer each client other tools. */
export class ToolDefinitions {
  /** Digests by the names of the tools; the session that was listed last comes last. Owned by this object. */
  readonly #sessions = new Map<string, Map<string, string>>();

  /**
   * Reads the result of `tools/list`.
   *
   * @returns the names of the tools that the server has defined otherwise before
   */
  learn(session: string, result: unknown): ReadonlySet<string> {
    const known = this.#sessions.get(session) ?? new Map<string, string>();
    this.#sessions.delete(session);
    this.#sessions.set(session, known);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > maxSessions) this.#sessions.delete(oldest!);
    const changed = new Set<string>();
    const { tools } = Object(result) as { readonly tools?: unknown };
    for (const tool of Array.isArray(tools) ? (tools as unknown[]) : []) {
      const { name } = Object(tool) as { readonly name?: unknown };
      if (typeof name !== 'string') continue;
      const digest = digestOf(tool as Json);
      const before = known.get(name);
      if (before !== undefined && before !== digest) changed.add(name);
      if (before !== undefined || known.size < maxTools) known.set(name, digest);
    }
    return changed;
  }
}

function digestOf(tool: Json): string {
  const hash = createHash('sha256');
  try {
    return hash.update(canonicalize(tool)).digest('base64');
  } catch {
    // A text with a lone surrogate has no canonical form.
    return hash.update(JSON.stringify(tool)).digest('base64');
  }
}
