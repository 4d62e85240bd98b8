import type { Finding } from '@tallystick/verify';
import { missingRecords } from '../terminal/missing-records.ts';
import { attacks, type Target } from './attacks.ts';
import type { Narrator } from './narrator.ts';
import { type Evidence, tamper } from './tamper.ts';

/**
 * An attacker changes the trail in five ways, each time beginning with the genuine trail. The service must be closed.
 *
 * @returns how many attacks were found; an attack that was not found throws
 */
export async function attackTrail(
  narrator: Narrator,
  {
    trail,
    victim,
    evidence,
  }: { readonly trail: string; readonly victim: Target; readonly evidence: Evidence },
): Promise<number> {
  await narrator.chapter('An attacker gets the whole database, with superuser rights');
  await tamper(trail, victim, evidence, async ({ attack: crime, report, finding }) => {
    if (report.verdict !== 'broken') throw new Error(`${crime.name} was not found: ${report.verdict}`);
    await narrator.caught(crime, describeFinding(finding), {
      verdict: report.verdict,
      finding,
      findings: report.findings.length,
    });
  });
  return attacks.length;
}

/** The finding, where it is, and the values if they are short. */
function describeFinding(finding: Finding): string {
  const missing = missingRecords(finding);
  if (missing !== undefined) return `${finding.code}: ${missing}`;
  const place = finding.sequence_number === null ? '' : ` at record ${finding.sequence_number}`;
  return `${finding.code}${place}${difference(finding)}`;
}

function difference({ expected, found }: Finding): string {
  if (expected === undefined || found === undefined || expected.length + found.length > 40) return '';
  return `: expected ${expected}, found ${found}`;
}
