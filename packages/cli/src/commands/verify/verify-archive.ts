import { parseOrigin, rotationFromJson } from '@tallystick/log';
import { readManifest, verifyEvidence } from '@tallystick/verify';
import type { Context } from '../../context.ts';
import { EvidenceArchive } from '../../evidence/evidence-archive.ts';
import { ProgressLine } from '../../terminal/progress.ts';
import { type Equivocation, saveEquivocation } from '../../trust/equivocation.ts';
import { TrustResolver } from '../../trust/trust-context.ts';
import { type FileUnderTest, refuseOtherLog } from './file-under-test.ts';
import { printSelection } from './selection-verdict.ts';
import { serviceToAsk } from './service-to-ask.ts';
import { exitCodeOf } from './verify-report.ts';

/** Longest manifest and checkpoint. */
const maxShortBytes = 1 << 20;

/**
 * Verifies an export with evidence, offline.
 *
 * @returns the exit code
 * @throws {EvidenceError} `EVIDENCE_MALFORMED` for an archive that is damaged, or that has anything besides the files of such an export
 */
export async function verifyArchive(
  context: Context,
  path: string,
  underTest: FileUnderTest,
): Promise<number> {
  using archive = await EvidenceArchive.open(path);
  const manifest = readManifest(await archive.text('manifest', maxShortBytes));
  const checkpoint = await archive.text('checkpoint', maxShortBytes);
  const { origin } = manifest;
  refuseOtherLog({ origin, tenantId: parseOrigin(origin).tenantId }, underTest);
  const resolver = new TrustResolver(context, underTest.given);
  const { verifiers, ...relied } = await resolver.resolve({
    origin,
    offered: undefined,
    rotations: manifest.rotations.map(rotationFromJson),
    place: undefined,
    from: underTest.file,
  });
  let equivocation: Equivocation | undefined;
  const progress = new ProgressLine(context.terminal, context.processContext.now);
  const checked = await verifyEvidence(
    {
      manifest,
      checkpoint,
      multiproof: archive.bytes('multiproof.txt'),
      records: archive.bytes('records.jsonl'),
      csv: archive.bytes('events.csv'),
    },
    {
      keys: verifiers,
      ...relied,
      onEquivocation: (...notes) => {
        equivocation = saveEquivocation(context, notes);
      },
      onProgress: (done) => progress.update({ done, text: `${done} records` }),
    },
  ).finally(() => progress.clear());
  const report = await resolver.comparedByService(() => serviceToAsk(context), checked, checkpoint);
  await resolver.confirmEpoch(report);
  const compared = resolver.comparedBy(report, underTest.file, true);
  await printSelection(context, report, { compared, equivocation });
  return exitCodeOf(report);
}
