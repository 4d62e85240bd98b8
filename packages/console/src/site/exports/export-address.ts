import type { ExportFormatName } from '@tallystick/protocol';
import { conditionsOf, eventQueryOf, parameterOf, searchOf } from '../trail/event-query.ts';

/**
 * Address of the download with the filters and the search of a view, relative to a page of the console. The browser writes it to a file as
 * it arrives, so the page holds nothing of it.
 *
 * @param now end of a range such as "last 24 hours", ms since 1970
 */
export function exportAddress(
  tenant: string,
  parameters: URLSearchParams,
  format: ExportFormatName,
  now: number,
): string {
  const query = new URLSearchParams({ tenant_id: tenant, format });
  for (const condition of conditionsOf(parameters))
    for (const value of condition.values) query.append(parameterOf(condition), value);
  const q = searchOf(parameters);
  if (q !== undefined) query.set('q', q);
  const { from, to } = (eventQueryOf(tenant, parameters, now).filters ?? {}) as {
    readonly from?: string;
    readonly to?: string;
  };
  if (from !== undefined) query.set('from', from);
  if (to !== undefined) query.set('to', to);
  if (parameters.get('reads') === '1') query.set('include_reads', 'true');
  return `../v1/audit/events/export?${query}`;
}

/** Address of the whole chain with its proofs, relative to a page of the console. */
export function bundleAddress(tenant: string): string {
  return `../v1/logs/${encodeURIComponent(tenant)}/bundle`;
}
