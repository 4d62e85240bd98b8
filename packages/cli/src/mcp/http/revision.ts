/** The first revision without sessions: closing the answer's stream cancels its request, and no stream can be resumed. */
const firstWithoutSessions = '2026-07-28';

/** Whether a message is one of a revision without sessions. @param version the header `MCP-Protocol-Version` */
export function isWithoutSessions(version: unknown): boolean {
  return typeof version === 'string' && version >= firstWithoutSessions;
}
