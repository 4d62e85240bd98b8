/** A message, as far as its headers need it. */
export interface OutgoingMessage {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/** The first revision without sessions: closing the answer's stream cancels its request, and no stream can be resumed. */
const firstWithoutSessions = '2026-07-28';

/** Whether a revision is one without sessions. Revisions are dates; the texts of dates have the order of the dates. */
export function isWithoutSessions(revision: unknown): boolean {
  return (
    typeof revision === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(revision) && revision >= firstWithoutSessions
  );
}

/** The revision that a request states in its body, as from 2026-07-28. */
export function statedRevision({ params }: OutgoingMessage): string | undefined {
  const { _meta } = Object(params) as { readonly _meta?: unknown };
  const meta = Object(_meta) as { readonly [name: string]: unknown };
  const version = meta['io.modelcontextprotocol/protocolVersion'];
  return typeof version === 'string' && /^[\x21-\x7e]{1,64}$/.test(version) ? version : undefined;
}
