import { parseTlogProof } from '@tallystick/log';
import type { Backend } from '../../backend/backend.ts';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { writeText } from '../../terminal/output-file.ts';
import { addExamples } from '../options/examples.ts';

/** `tally receipt`: one record with the proof that the log contains it, as a text that is verified offline. */
export const registerReceipt: Register = (program, run) => {
  const command = program
    .command('receipt')
    .summary('write a proof of one record')
    .description(
      'Writes a proof that the log contains one record (C2SP tlog-proof): the record, its inclusion proof and a signed ' +
        'checkpoint. Anyone who has the verifier key can check it offline with tally verify FILE.',
    )
    .argument('<audit-id>', 'audit_id of the event, or sequence number of its record')
    .option('-o, --output <file>', 'write to this file (default: standard output)');
  addExamples(command, 'tally receipt 17 --tenant acme -o receipt.txt');
  run<{ readonly output?: string }>(command, async (context, { output }, [id]) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const tenant = context.requireTenant();
    const receipt = await backend.client.logs.receipt(tenant, await auditIdOf(backend, tenant, id!));
    const { index } = parseTlogProof(receipt);
    if (terminal.json) await terminal.jsonLine({ tenant_id: tenant, index, receipt });
    if (output !== undefined || !terminal.json) await writeText(context, output, receipt);
    if (output !== undefined) terminal.note(`wrote ${output}`);
    return undefined;
  });
};

async function auditIdOf({ client }: Backend, tenant: string, id: string): Promise<string> {
  if (!/^\d{1,15}$/.test(id)) return id;
  const filters = { sequence_from: Number(id), sequence_to: Number(id) };
  const { events } = await client.events.list({
    tenant_id: tenant,
    filters,
    include_reads: true,
    limit: 1,
  });
  const auditId = events[0]?.audit_id;
  if (typeof auditId === 'string') return auditId;
  throw new CliError('NOT_FOUND', `${tenant} has no record ${id}`);
}
