import { decodeUtf8 } from '@tallystick/event';
import { parseCheckpoint, parseNote, parseOrigin, parseTlogProof } from '@tallystick/log';
import { verifyReceipt } from '@tallystick/verify';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { chooseKeys } from '../trust/choose-keys.ts';
import { type Equivocation, saveEquivocation } from '../trust/equivocation.ts';
import { readKnownLogs } from '../trust/known-logs.ts';
import { exitCodeOf, printFindings, verdictText } from './verify-report.ts';

const header = 'c2sp.org/tlog-proof@v1\n';

export function isReceipt(bytes: Buffer): boolean {
  return bytes.subarray(0, header.length).toString('latin1') === header;
}

/** Verifies a receipt offline and shows the record that it proves. */
export async function checkReceipt(
  context: Context,
  bytes: Buffer,
  tenant: string | undefined,
): Promise<number> {
  const { terminal } = context;
  const receipt = decodeUtf8(bytes);
  const { origin } = parseCheckpoint(parseNote(parseTlogProof(receipt).checkpoint).text);
  const { tenantId } = parseOrigin(origin);
  if (tenant !== undefined && tenantId !== tenant) {
    throw new CliError('USAGE', `this is a receipt of ${tenantId}, not of ${tenant}`);
  }
  const { verifiers, trust } = chooseKeys(context, {
    origin,
    offered: undefined,
    isLive: false,
    from: 'a receipt',
  });
  const kept = readKnownLogs(context.processContext.env).get(origin)?.checkpoint;
  let equivocation: Equivocation | undefined;
  const report = await verifyReceipt(receipt, {
    keys: verifiers,
    trust,
    kept: kept === undefined ? [] : [kept.note],
    onEquivocation: (...notes) => {
      equivocation = saveEquivocation(context, notes);
    },
  });
  if (terminal.json) {
    await terminal.jsonLine({ ...report, ...(equivocation !== undefined && { equivocation }) });
  } else {
    const { verdict, tenant_id, sequence_number, record_hash, checkpoint_size, record } = report;
    await terminal.line(
      `${verdictText(terminal, verdict)}  ${tenant_id ?? ''} #${sequence_number}  ${record_hash}`,
    );
    if (record !== undefined) {
      await terminal.line(`  in ${origin} of ${checkpoint_size} records, key ${report.trust.source}`);
      await terminal.line(`  ${String(record.event.event_type)}, chained ${record.ingested_at}`);
    }
    for (const size of report.not_compared ?? []) {
      const since = kept?.keptAt.slice(0, 10);
      await terminal.line(`  not compared with the checkpoint of ${size} records kept since ${since}`);
    }
    await printFindings(terminal, report.findings);
  }
  return exitCodeOf(report);
}
