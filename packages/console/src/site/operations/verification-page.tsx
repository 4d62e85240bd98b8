import type { Verdict, VerifyReport } from '@tallystick/protocol';
import { useRef, useState } from 'preact/hooks';
import type { Tone } from '../elements/badge.tsx';
import { Failure } from '../elements/failure.tsx';
import { Notice } from '../elements/notice.tsx';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';

/** Lets the service check a whole chain, part by part, and shows how far it is. */
export function VerificationPage() {
  return <ForTenant page={(tenant) => <VerificationOf key={tenant} tenant={tenant} />} />;
}

interface Run {
  readonly reports: readonly VerifyReport[];
  readonly isRunning: boolean;
  readonly error?: unknown;
}

function VerificationOf({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const [run, setRun] = useState<Run>();
  const running = useRef<AbortController>(undefined);
  const start = async () => {
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    const reports: VerifyReport[] = [];
    setRun({ reports, isRunning: true });
    try {
      for (let next: number | undefined = 0; next !== undefined; ) {
        const report: VerifyReport = await client.verify(
          { tenant_id: tenant, sequence_from: next, fresh: true },
          { signal },
        );
        reports.push(report);
        next = report.complete ? undefined : report.next_sequence;
        setRun({ reports: [...reports], isRunning: next !== undefined });
      }
    } catch (error) {
      setRun({ reports, isRunning: false, ...(!signal.aborted && { error }) });
    }
  };
  return (
    <div class="stack">
      <section class="panel">
        <header>
          <h2>Check the chain of {tenant}</h2>
          {run?.isRunning === true ? (
            <button type="button" class="button" onClick={() => running.current?.abort()}>
              Stop
            </button>
          ) : (
            <button type="button" class="button main" onClick={() => void start()}>
              Check all records now
            </button>
          )}
        </header>
        <div class="body stack">
          <p class="soft">
            The service reads every record, its hash, its link and the signed tree. It checks itself here:
            this finds faults, but it proves nothing to others. Your own browser checks single records on the
            page of events, and <code>tally verify --tenant {tenant}</code> checks everything with a key that
            you choose.
          </p>
          {run !== undefined && <Progress run={run} />}
        </div>
      </section>
    </div>
  );
}

const verdicts: { readonly [verdict in Verdict]: { readonly tone: Tone; readonly title: string } } = {
  verified: { tone: 'good', title: 'The chain is intact' },
  recovered: { tone: 'good', title: 'The chain is intact since it was recovered' },
  broken: { tone: 'bad', title: 'The chain is not intact' },
  not_verifiable: { tone: 'warn', title: 'The chain can’t be verified' },
};
/** From the best to the worst. */
const order: readonly Verdict[] = ['verified', 'recovered', 'not_verifiable', 'broken'];

function Progress({ run: { reports, isRunning, error } }: { readonly run: Run }) {
  const records = reports.reduce((sum, report) => sum + report.records, 0);
  const worst = order.findLast((verdict) => reports.some((report) => report.verdict === verdict));
  const findings = reports.flatMap((report) => report.findings);
  return (
    <>
      {isRunning && (
        <p role="status">
          <span class="number">{records.toLocaleString()}</span> records checked …
        </p>
      )}
      {error !== undefined && <Failure error={error} />}
      {!isRunning && error === undefined && worst !== undefined && (
        <Notice {...verdicts[worst]}>
          <p>
            {records.toLocaleString()} records were checked. {unsignedText(reports.at(-1)!)}
          </p>
        </Notice>
      )}
      {findings.length > 0 && (
        <div class="table-frame">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Finding</th>
                <th scope="col">Record</th>
                <th scope="col">Expected</th>
                <th scope="col">Found</th>
              </tr>
            </thead>
            <tbody>
              {findings.map(({ code, sequence_number, expected, found }, at) => (
                <tr key={at}>
                  <td>
                    <code>{code}</code>
                  </td>
                  <td class="number">{sequence_number ?? ''}</td>
                  <td class="long">
                    <code>{expected ?? ''}</code>
                  </td>
                  <td class="long">
                    <code>{found ?? ''}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function unsignedText({ unsigned_tail }: VerifyReport): string {
  if (unsigned_tail === 0) return 'A signed checkpoint covers all of them.';
  return `The newest ${unsigned_tail.toLocaleString()} are not signed yet.`;
}
