import { parseTlogProof } from '@tallystick/log';
import type { Backend } from '../backend/backend.ts';
import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { writeText } from '../terminal/output-file.ts';

/** `tally receipt`: one record with the proof that the log holds it, in one text that is checked offline. */
export const registerReceipt: Register = (program, run) => {
  const command = program
    .command('receipt')
    .summary('write the proof of one record')
    .description(
      'Writes a C2SP tlog-proof: the record, its inclusion proof and a signed checkpoint. tally verify checks it offline.',
    )
    .argument('<audit-id>', "the event's audit_id, or its record's sequence number")
    .option('-o, --output <file>', 'write it to a file');
  run<{ readonly output?: string }>(command, async (context, { output }, [id]) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const tenant = context.requireTenant();
    const receipt = await backend.receipt(tenant, await auditIdOf(backend, tenant, id!));
    if (terminal.json)
      await terminal.jsonLine({ tenant_id: tenant, index: parseTlogProof(receipt).index, receipt });
    if (output !== undefined || !terminal.json) await writeText(context, output, receipt);
    if (output !== undefined) terminal.note(`wrote ${output}`);
    return undefined;
  });
};

async function auditIdOf(backend: Backend, tenant: string, id: string): Promise<string> {
  if (!/^\d{1,15}$/.test(id)) return id;
  const filters = { sequence_from: id, sequence_to: id };
  const { events } = await backend.listEvents({ tenant, filters, limit: 1 });
  const auditId = events[0]?.audit_id;
  if (typeof auditId === 'string') return auditId;
  throw new CliError('NOT_FOUND', `${tenant} has no record ${id}`);
}
