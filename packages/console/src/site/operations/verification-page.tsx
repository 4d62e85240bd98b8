import type { VerifyReport } from '@tallystick/protocol';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { VerificationHistory } from './verification-history.tsx';
import { type PageRun, RunState } from './verification-run.tsx';

/** Lets the service check a whole chain, part by part, and shows how far it is and what earlier checks found. */
export function VerificationPage() {
  return <ForTenant page={(tenant) => <VerificationOf key={tenant} tenant={tenant} />} />;
}

function VerificationOf({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const [run, setRun] = useState<PageRun>();
  const [round, setRound] = useState(0);
  const running = useRef<AbortController>(undefined);
  // A reader who leaves the page does not wait for the check.
  useEffect(() => () => running.current?.abort(), []);
  const start = async () => {
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    const reports: VerifyReport[] = [];
    let size: number | undefined;
    setRun({ reports, size, state: 'running' });
    try {
      // Only for the bar: a check that does not know the length is as good.
      if (may(session, 'events:read'))
        size = (await client.tenants.list({ tenant_id: tenant }, { signal })).tenants[0]?.size;
      setRun({ reports, size, state: 'running' });
      for (let next: number | undefined = 0; next !== undefined; ) {
        const report: VerifyReport = await client.verify(
          { tenant_id: tenant, sequence_from: next, fresh: true },
          { signal },
        );
        reports.push(report);
        next = report.complete ? undefined : report.next_sequence;
        setRun({ reports: [...reports], size, state: next === undefined ? 'done' : 'running' });
      }
    } catch (error) {
      setRun({ reports, size, state: 'stopped', ...(!signal.aborted && { error }) });
    }
    setRound((count) => count + 1);
  };
  return (
    <div class="stack">
      <section class="panel" aria-label="Check">
        <header>
          <h2>Check the chain of {tenant}</h2>
          {run?.state === 'running' ? (
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
            The service checks every record: its hash, its link and its place in the signed tree. This finds
            faults, but it is no proof to others, because the service checks itself. Your own browser checks
            records, lists and timelines where you read them.{' '}
            <code>
              tally verify <span class="one-line">--tenant</span> {tenant}
            </code>{' '}
            checks everything with a key that you choose.
          </p>
          {run !== undefined && <RunState run={run} />}
        </div>
      </section>
      <VerificationHistory tenant={tenant} round={round} />
    </div>
  );
}
