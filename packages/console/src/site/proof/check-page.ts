/** Checks a page of a list with the evidence of the page: the bytes of all events, one proof, and the newest checkpoint. */
import {
  type Checkpoint,
  createVerifier,
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  toHex,
} from '@tallystick/log';
import type { EventView, PageEvidence } from '@tallystick/protocol';
import {
  type CheckpointRelation,
  compareCheckpoints,
  type Finding,
  type SelectionReport,
  verifyPage,
} from '@tallystick/verify';
import { textOfFinding } from './finding-words.ts';
import { isSameLog } from './pinned-keys.ts';

/** All that the check of a page needs. Everything but the key and the kept checkpoint comes from the service and is not trusted. */
export interface PageToCheck {
  /** Each event as the list shows it, with its bytes in `record` where the reader may see them. */
  readonly events: readonly EventView[];
  readonly evidence: PageEvidence;
  /** The verifier key that is pinned in this browser. */
  readonly key: string;
  /** The checkpoint that this browser verified last. */
  readonly kept?: string | undefined;
  /** Hashes that show that one of the two checkpoints extends the other. */
  readonly consistency?: readonly Uint8Array[] | undefined;
}

/** Something that is wrong with the page, or with the record of a place. */
export interface PageFault {
  /** Absent: it concerns the whole page. */
  readonly sequence?: number;
  /** The record contradicts the one before it. One of the two is wrong, and it may be the other one. */
  readonly isAboutLink?: boolean;
  readonly text: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

/** How the checkpoint of the page relates to the one that this browser verified last. */
type PageHistory = CheckpointRelation | 'first_visit' | 'not_signed';

/** What the check of a page found. */
export interface PageResult {
  readonly faults: readonly PageFault[];
  /** The proof does not lead to the signed root. It is one proof, so it does not say which record is at fault. */
  readonly isProofLost: boolean;
  /** Records of the signed tree; absent where nothing is signed. */
  readonly size?: number | undefined;
  readonly epoch?: number | undefined;
  /** Records whose hash is in the tree, and whose content the reader may not see. */
  readonly hashOnly: number;
  readonly history: PageHistory;
  /** The signed note; only where nothing is wrong and it is proven to belong to the log that this browser verified before. */
  readonly checkpoint?: string | undefined;
}

const nothing = { isProofLost: false, hashOnly: 0 } as const;

/** Checks a page. What is wrong with the evidence is in the result and never thrown. */
export async function checkPage(page: PageToCheck): Promise<PageResult> {
  const { checkpoint } = page.evidence;
  if (checkpoint === undefined) return { ...nothing, faults: withdrawnFaults(page), history: 'not_signed' };
  try {
    return await checkSigned(page, checkpoint);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const text = `The evidence of the page can’t be read: ${error.message}.`;
    return { ...nothing, faults: [{ text }], history: 'not_signed' };
  }
}

async function checkSigned(
  { events, evidence, key, kept, consistency }: PageToCheck,
  checkpoint: string,
): Promise<PageResult> {
  const shown = parseCheckpoint(parseNote(checkpoint).text);
  const before = kept === undefined ? undefined : parseCheckpoint(parseNote(kept).text);
  const report = await verifyPage(
    events,
    { ...evidence, checkpoint },
    {
      keys: [keyFor(shown.origin, key)],
      kept: before?.origin === shown.origin && kept !== undefined ? [kept] : [],
      mustReach: true,
    },
  );
  const history = before === undefined ? 'first_visit' : compareCheckpoints(before, shown, consistency);
  const faults = [...otherLogFaults(key, before, shown), ...faultsOf(report)];
  if (history === 'contradiction' || history === 'proof_invalid')
    faults.unshift({
      text: historyTexts[history],
      expected: `${before!.size} ${toHex(before!.root)}`,
      found: `${shown.size} ${toHex(shown.root)}`,
    });
  // As for one record: a checkpoint that nothing ties to the kept one must not replace it.
  const mayKeep = faults.length === 0 && report.verified > 0 && isTied(history);
  return {
    faults,
    isProofLost: report.findings.some(({ code }) => code === 'CHECKPOINT_ROOT_MISMATCH'),
    size: shown.size,
    epoch: parseOrigin(shown.origin).epoch,
    hashOnly: report.hash_only,
    history,
    ...(mayKeep && { checkpoint }),
  };
}

const forkAdvice =
  'Do not rely on this page. Keep the two values below, and ask the operator and other readers which tree they know.';

const historyTexts = {
  contradiction: `The log does not contain what this browser verified before: it was forked. ${forkAdvice}`,
  proof_invalid: `The service can’t prove that the log contains what this browser verified before: it was forked. ${forkAdvice}`,
};

/** Otherwise a service could hide a fork by denying its checkpoints. */
function withdrawnFaults({ kept }: PageToCheck): PageFault[] {
  if (kept === undefined) return [];
  const { size } = parseCheckpoint(parseNote(kept).text);
  const text = `The service says that nothing is signed, and this browser verified a signed tree of ${size.toLocaleString()} records. Do not rely on this page.`;
  return [{ text }];
}

/** The service shows the log of another name, or an epoch before the one that this browser verified. */
function otherLogFaults(key: string, before: Checkpoint | undefined, shown: Checkpoint): PageFault[] {
  const pinned = parseVerifierKey(key).name;
  if (!isSameLog(pinned, shown.origin))
    return [
      {
        text:
          'The service shows another log than the one whose key is pinned in this browser. If the operator has made the log anew, ask for its key, ' +
          'open a record, and pin that key.',
        expected: pinned,
        found: shown.origin,
      },
    ];
  if (before === undefined || !isSameLog(before.origin, shown.origin)) return [];
  if (parseOrigin(before.origin).epoch <= parseOrigin(shown.origin).epoch) return [];
  const text =
    'The service shows an epoch of the log before the one that this browser verified: the log was set back.';
  return [{ text, expected: before.origin, found: shown.origin }];
}

const isTied = (history: PageHistory) => history === 'one_log' || history === 'first_visit';

/** The pinned key counts for every epoch of its log, under the name of the epoch. */
function keyFor(origin: string, key: string) {
  const pinned = parseVerifierKey(key);
  return isSameLog(pinned.name, origin) ? createVerifier(origin, pinned.publicKey) : pinned;
}

/** Findings about checkpoints name the last record of one, which is not at fault. */
function isAboutPage({ code, sequence_number }: Finding): boolean {
  return sequence_number === null || /^(CHECKPOINT_|HEAD_|KEY_)/.test(code);
}

function faultsOf({ findings }: SelectionReport): PageFault[] {
  // Nothing is wrong where no record is signed yet.
  const wrong = findings.filter(({ code }) => code !== 'NOTHING_COVERED');
  return wrong.map((finding) => {
    const { sequence_number, expected, found } = finding;
    const text = textOfFinding(finding);
    const values = expected === undefined || found === undefined ? {} : { expected, found };
    if (isAboutPage(finding)) return { text, ...values };
    return { sequence: sequence_number!, isAboutLink: finding.code === 'CHAIN_LINK_BROKEN', text, ...values };
  });
}
