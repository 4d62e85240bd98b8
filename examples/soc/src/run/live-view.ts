import type { MemoryTopics } from '../platform/memory-topics.ts';

/** What hides or moves text on a terminal. Titles of alerts are chosen by attackers. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function safe(text: string): string {
  return text.replace(unsafe, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Prints a line for everything that happens on the topics. */
export async function showTopics(topics: MemoryTopics, print: (line: string) => void): Promise<void> {
  const show = (what: string, tenant: string, text: string) =>
    print(`${what.padEnd(14)} ${safe(tenant).padEnd(8)} ${safe(text)}`);
  const watcher = 'live-view';
  await topics.subscribe('atlas.detections', watcher, async ({ value }) =>
    show('detection', value.tenant_id, `${value.rule} for ${value.subject}, confidence ${value.confidence}`),
  );
  await topics.subscribe('ctem.normalized', watcher, async ({ value }) =>
    show('exposure', value.tenant_id, `${value.severity} ${value.title} on ${value.asset}, ${value.state}`),
  );
  await topics.subscribe('alerts.normalized', watcher, async ({ value }) =>
    show(
      value.injection.length > 0 ? 'alert !' : 'alert',
      value.tenant_id,
      `${value.severity} ${value.title}${value.injection.length > 0 ? ' (addresses a model)' : ''}`,
    ),
  );
  await topics.subscribe('investigations', watcher, async ({ value }) =>
    show(
      value.state,
      value.tenant_id,
      `${value.title}: ${value.verdict ?? 'no verdict'}${value.closed_by === undefined ? '' : `, closed by ${value.closed_by}`}`,
    ),
  );
  await topics.subscribe('actions.settled', watcher, async ({ value }) =>
    show('actions', value.tenant_id, value.results.map(({ result }) => result).join(', ') || 'none'),
  );
}
