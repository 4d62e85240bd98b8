import { usePlace } from '../address/place.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Badge } from '../elements/signs/badge.tsx';
import { Ago, Time } from '../elements/signs/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { verdicts } from '../trail/verdicts.ts';
import { type ChainState, chainStateOf } from './chain-state.ts';

/** How long the tenant's chain is, until when it is signed, and until when this browser has verified it. */
export function ChainPanel({ tenant }: { readonly tenant: string }) {
  const { client, log } = useConsole();
  const { value, error, reload } = useResource(
    async (signal) => ({
      of: tenant,
      state: await chainStateOf(client, tenant, { logName: log, storage: localStorage }, signal),
    }),
    [client, log, tenant],
  );
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  // The state of another tenant must never stand below this one's name.
  if (value?.of !== tenant)
    return <div class="panel chain-placeholder" role="status" aria-label="Looking at the chain" />;
  return value.state === undefined ? null : <State state={value.state} />;
}

function State({
  state: { records, newest, unsigned, signedUntil, signedAt, checked, verified },
}: {
  readonly state: ChainState;
}) {
  const { session } = useConsole();
  const place = usePlace();
  const signed = records - unsigned;
  const signedText =
    unsigned === 0 ? 'all records' : signed === 0 ? 'no record yet' : `${signed.toLocaleString()} records`;
  return (
    <section class="panel chain" aria-label="The chain">
      <dl>
        <div>
          <dt>Records in the chain</dt>
          <dd class="number">{records.toLocaleString()}</dd>
          <dd class="soft">
            the newest <Ago value={newest} />
          </dd>
        </div>
        <div>
          <dt>Signed</dt>
          <dd>
            {signedUntil === undefined || unsigned === 0 ? (
              signedText
            ) : (
              <>
                until <Time value={signedUntil} />
              </>
            )}
          </dd>
          <dd class="soft">
            {unsigned > 0 &&
              `${unsigned.toLocaleString()} newer ${unsigned === 1 ? 'record is' : 'records are'} not signed yet`}
            {unsigned > 0 && signedAt !== undefined && '; '}
            {signedAt !== undefined && (
              <>
                last signed <Ago value={signedAt} />
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Checked by the service</dt>
          <dd>{checked === undefined ? 'not yet' : <Ago value={checked.at} />}</dd>
          <dd class="soft">
            {checked === undefined ? (
              'no check of the whole chain'
            ) : (
              <>
                <Badge tone={verdicts[checked.verdict].tone}>{verdicts[checked.verdict].word}</Badge>{' '}
                {checked.records.toLocaleString()} records
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Verified by this browser</dt>
          <dd>{verified === undefined ? 'not yet' : <Ago value={verified.at} />}</dd>
          <dd class="soft">
            {verified === undefined ? (
              'open an event to check it'
            ) : (
              <>a signed tree of {verified.records.toLocaleString()} records</>
            )}
          </dd>
        </div>
      </dl>
      {may(session, 'log:read') && (
        <a class="button" href={place.href('verification')}>
          Check all records
        </a>
      )}
    </section>
  );
}
