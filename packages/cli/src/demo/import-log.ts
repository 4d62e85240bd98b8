import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { findSourceFiles } from '../import/files.ts';
import { formats } from '../import/formats.ts';
import { type ImportTotals, importFiles } from '../import/run.ts';
import type { Narrator } from './narrator.ts';
import type { RunningService } from './running-service.ts';
import { kubernetesAuditLog } from './sample-log.ts';

/** Imports a Kubernetes audit log twice: the second import finds only duplicates, and the original lines are kept. */
export async function importTwice(
  { service, client }: RunningService,
  narrator: Narrator,
  options: { readonly directory: string; readonly tenantId: string; readonly context: Context },
): Promise<void> {
  await narrator.chapter('Import a Kubernetes audit log, twice');
  const { directory, tenantId, context } = options;
  const file = join(directory, 'audit.log');
  writeFileSync(file, kubernetesAuditLog());
  for (const round of ['first', 'second'] as const) {
    const totals: ImportTotals = { files: 0, events: 0, imported: 0, duplicate: 0, rejected: 0, bytes: 0 };
    await importFiles(
      await findSourceFiles([file], context.processContext),
      {
        format: formats['k8s-audit'],
        map: { tenantOf: () => tenantId },
        now: context.processContext.now,
        submit: (events) => service.submit({ events, source: 'import:k8s-audit', trust: 'operator' }),
        onRejected: (rejection) => {
          throw new Error(`${rejection.code}: ${rejection.reason}`);
        },
      },
      totals,
    );
    const { imported, duplicate, rejected } = totals;
    const text = `${imported} imported, ${duplicate} duplicate, ${rejected} rejected`;
    await narrator.done(`import-${round}`, text, { imported, duplicate, rejected });
  }
  const filters = { event_type: 'k8s.*' };
  const { events } = await client.events.list({ tenant_id: tenantId, filters, order: 'asc', limit: 1 });
  const data = events[0]?.event_data as
    | { readonly source_payload: { readonly original: string } }
    | undefined;
  if (data?.source_payload.original !== readFileSync(file, 'utf8').split('\n')[0])
    throw new Error('the original was not kept byte for byte');
  await narrator.remark('the original line is kept byte for byte, including the number 9007199254740993');
}
