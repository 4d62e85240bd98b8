import { Empty } from '../elements/notices/empty.tsx';
import { Badge } from '../elements/signs/badge.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { useConsole } from '../session/console-context.ts';
import { verdicts } from '../trail/verdicts.ts';
import { runsOf, type VerificationRun } from './verification-runs.ts';

/** Earlier checks of a chain by the service: who asked for them, when, and what they found. `round` changes when there is a new one. */
export function VerificationHistory({ tenant, round }: { readonly tenant: string; readonly round: number }) {
  const { client } = useConsole();
  return (
    <section class="panel" aria-label="Earlier checks">
      <header>
        <h2>Earlier checks</h2>
      </header>
      <PagedTable<VerificationRun>
        read={async (cursor, signal) => {
          const query = { tenant_id: tenant, limit: 200, cursor };
          const { verifications, next_cursor } = await client.verifications.list(query, { signal });
          return { items: runsOf(verifications), cursor: next_cursor };
        }}
        dependencies={[client, tenant, round]}
        columns={['When', 'Verdict', 'Records', 'First finding', 'Asked for by']}
        keyOf={({ id }) => String(id)}
        row={(run) => <RunRow run={run} />}
        empty={
          <Empty icon="shield-check" title="The service has not checked this chain yet">
            <p>Each check is listed here, with who asked for it. Press “Check all records now”.</p>
          </Empty>
        }
      />
    </section>
  );
}

function RunRow({
  run: { at, by, verdict, first, last, records, findings, firstFinding, whole },
}: {
  readonly run: VerificationRun;
}) {
  const { tone, word } = verdicts[verdict];
  return (
    <>
      <td>
        <Ago value={at} />
      </td>
      <td>
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td>
        {records === 0 ? (
          <span class="faint">none</span>
        ) : (
          <>
            <span class="number">
              {first?.toLocaleString()}–{last?.toLocaleString()}
            </span>
            <div class="faint">{whole ? 'the whole chain' : 'a part of the chain'}</div>
          </>
        )}
      </td>
      <td class="long">
        {firstFinding === null ? (
          <span class="faint">none</span>
        ) : (
          <>
            <code>{firstFinding.code}</code>
            {firstFinding.sequence_number !== null && ` at record ${firstFinding.sequence_number}`}
            {findings > 1 && <span class="faint"> and {(findings - 1).toLocaleString()} more</span>}
          </>
        )}
      </td>
      <td class="long">{by === null ? <span class="faint">not known</span> : <code>{by}</code>}</td>
    </>
  );
}
