import { gunzipIfNeeded, type ReceiptReport, readReceipt, verifyReceipt } from '@tallystick/verify';
import { readWhole } from '../../backend/file-head.ts';
import type { Context } from '../../context.ts';
import { type Equivocation, saveEquivocation } from '../../trust/equivocation.ts';
import { TrustResolver } from '../../trust/trust-context.ts';
import { type FileUnderTest, refuseOtherLog } from './file-under-test.ts';
import { serviceToAsk } from './service-to-ask.ts';
import { exitCodeOf, printFindings, verdictText } from './verify-report.ts';

/** Verifies a receipt offline and shows the record that it proves. */
export async function checkReceipt(
  context: Context,
  bytes: AsyncIterable<Uint8Array>,
  underTest: FileUnderTest,
): Promise<number> {
  const receipt = await readWhole(gunzipIfNeeded(bytes));
  const parts = receipt === undefined ? undefined : readReceipt(receipt);
  if (receipt === undefined || parts === undefined) {
    const trust = context.logKeys.length > 0 ? 'given' : 'none';
    const report = await verifyReceipt('', { keys: [], trust });
    await print(context, report, {});
    return exitCodeOf(report);
  }
  const { file } = underTest;
  const { origin } = parts.checkpoint;
  refuseOtherLog({ origin, tenantId: parts.origin.tenantId }, underTest);
  const resolver = new TrustResolver(context, underTest.given);
  const log = { origin, offered: undefined, rotations: parts.rotations, place: undefined, from: 'a receipt' };
  const { verifiers, trust, rotations, checkpoints, kept } = await resolver.resolve(log);
  let equivocation: Equivocation | undefined;
  const checked = await verifyReceipt(receipt, {
    keys: verifiers,
    trust,
    rotations,
    checkpoints,
    kept,
    onEquivocation: (...notes) => {
      equivocation = saveEquivocation(context, notes);
    },
  });
  const report = await resolver.comparedByService(
    () => serviceToAsk(context),
    checked,
    parts.proof.checkpoint,
  );
  resolver.comparedBy(report, file === '-' ? 'the receipt' : file, true);
  await print(context, report, { origin, equivocation });
  return exitCodeOf(report);
}

async function print(
  { terminal }: Context,
  report: ReceiptReport,
  { origin, equivocation }: { origin?: string; equivocation?: Equivocation | undefined },
): Promise<void> {
  if (terminal.json) {
    await terminal.jsonLine({ ...report, ...(equivocation !== undefined && { equivocation }) });
    return;
  }
  const { verdict, tenant_id, sequence_number, record_hash, checkpoint_size, record } = report;
  const place = sequence_number === null ? '' : `${tenant_id ?? ''} #${sequence_number}  ${record_hash}`;
  await terminal.line(`${verdictText(terminal, verdict)}  ${place}`.trimEnd());
  if (record !== undefined) {
    await terminal.line(`  in ${origin} of ${checkpoint_size} records, key ${report.trust.source}`);
    await terminal.line(`  ${String(record.event.event_type)}, chained ${record.ingested_at}`);
  }
  await printFindings(terminal, report.findings);
}
