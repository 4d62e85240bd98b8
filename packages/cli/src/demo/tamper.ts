import { PgliteDatabase, type Session } from '@tallystick/server/store';

import { type Finding, type Report, verifyStore } from '@tallystick/verify';
import { type Attack, attacks, type Target } from './attacks.ts';

/** What an auditor holds and an attacker of the database does not: it lies in another directory. */
export interface Evidence {
  readonly key: string;
  readonly checkpoint: string;
}

export interface Caught {
  readonly attack: Attack;
  readonly report: Report;
  /** The finding that names it. */
  readonly finding: Finding;
}

/** Carried out of a transaction so that it is rolled back: each attack begins with the genuine trail. */
class Undo extends Error {
  readonly report: Report;
  constructor(report: Report) {
    super('undo');
    this.report = report;
  }
}

/** Opens the stolen database as its superuser, commits each crime in turn, and lets the auditor look. */
export async function tamper(
  directory: string,
  target: Target,
  evidence: Evidence,
  onCaught: (caught: Caught) => Promise<void>,
): Promise<void> {
  const database = await PgliteDatabase.open(directory);
  try {
    for (const attack of attacks) {
      const report = await attempt(database, async (session) => {
        await session.query('set local session_replication_role = replica');
        await attack.run(session, target);
        return await audit(session, target, evidence);
      });
      await onCaught({ attack, report, finding: telling(report) });
    }
  } finally {
    await database.close();
  }
}

async function attempt(
  database: PgliteDatabase,
  work: (session: Session) => Promise<Report>,
): Promise<Report> {
  try {
    return await database.asOwner(async (session) => {
      throw new Undo(await work(session));
    });
  } catch (error) {
    if (error instanceof Undo) return error.report;
    throw error;
  }
}

async function audit(session: Session, target: Target, evidence: Evidence): Promise<Report> {
  return await verifyStore((sql, parameters) => session.query(sql, parameters), {
    tenantId: target.tenantId,
    logName: target.logName,
    keys: [evidence.key],
    checkpoints: [evidence.checkpoint],
  });
}

/** Findings about tables beside the records. An attacker who forgets none of them is found by the checkpoint that was kept elsewhere. */
const besideRecords = ['INDEX_MISMATCH', 'COUNT_MISMATCH', 'APPROVAL_MISMATCH'];

/** The first finding that is about the tampering itself, not about a root or a table that follows from it. */
function telling({ findings }: Report): Finding {
  const own = findings.filter(({ code }) => !besideRecords.includes(code));
  const first = own.find(({ code }) => !code.startsWith('CHECKPOINT_')) ?? own[0] ?? findings[0];
  if (first === undefined) throw new Error('the attack was not found: this must never happen');
  return first;
}
