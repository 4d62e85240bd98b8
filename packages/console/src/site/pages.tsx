import { useEffect } from 'preact/hooks';
import { ErrorBoundary, lazy, Route, Router } from 'preact-iso';
import { usePlace } from './address/place.ts';
import { Empty } from './elements/notices/empty.tsx';
import { useConsole } from './session/console-context.ts';
import { docsAddress, toDocsPage } from './session/to-docs.ts';
import { pagesFor } from './shell/navigation.ts';
import { Shell } from './shell/shell.tsx';
import { TenantsProvider } from './shell/tenant.tsx';

// Each page is a file of its own, so that the first one appears before the others are loaded.
const OverviewPage = lazy(() =>
  import('./overview/overview-page.tsx').then(({ OverviewPage }) => OverviewPage),
);
const EventsPage = lazy(() => import('./events/events-page.tsx').then(({ EventsPage }) => EventsPage));
const TimelinePage = lazy(() =>
  import('./timeline/timeline-page.tsx').then(({ TimelinePage }) => TimelinePage),
);
const VerificationPage = lazy(() =>
  import('./operations/verification-page.tsx').then(({ VerificationPage }) => VerificationPage),
);
const ApprovalsPage = lazy(() =>
  import('./approvals/approvals-page.tsx').then(({ ApprovalsPage }) => ApprovalsPage),
);
const ProducersPage = lazy(() =>
  import('./operations/producers-page.tsx').then(({ ProducersPage }) => ProducersPage),
);
const DeadLettersPage = lazy(() =>
  import('./operations/dead-letters-page.tsx').then(({ DeadLettersPage }) => DeadLettersPage),
);
const IntentsPage = lazy(() => import('./agents/intents-page.tsx').then(({ IntentsPage }) => IntentsPage));
const CallsPage = lazy(() => import('./models/calls-page.tsx').then(({ CallsPage }) => CallsPage));
const ExportsPage = lazy(() => import('./exports/exports-page.tsx').then(({ ExportsPage }) => ExportsPage));
const KeysPage = lazy(() => import('./operations/keys-page.tsx').then(({ KeysPage }) => KeysPage));
const FollowersPage = lazy(() =>
  import('./operations/followers-page.tsx').then(({ FollowersPage }) => FollowersPage),
);
const TenantsPage = lazy(() =>
  import('./operations/tenants-page.tsx').then(({ TenantsPage }) => TenantsPage),
);

/** The page that the address names. `base` is the path of the console. */
export function Pages({ base }: { readonly base: string }) {
  const { session } = useConsole();
  const { page } = usePlace();
  const entry = pagesFor(session).find((each) => each.page === page);
  const title = entry?.title ?? 'Tallystick';
  useEffect(() => {
    document.title = entry === undefined ? 'Tallystick' : `${title} · Tallystick`;
  }, [entry, title]);
  if (page === toDocsPage) return <ToDocs base={base} />;
  return (
    <TenantsProvider>
      <Shell title={title}>
        {page !== '' && entry === undefined ? (
          <UnknownPage />
        ) : (
          <ErrorBoundary onError={(error) => console.error(error)}>
            <Router>
              <Route path={base} component={FirstPage} />
              <Route path={`${base}overview`} component={OverviewPage} />
              <Route path={`${base}events`} component={EventsPage} />
              <Route path={`${base}timeline`} component={TimelinePage} />
              <Route path={`${base}verification`} component={VerificationPage} />
              <Route path={`${base}approvals`} component={ApprovalsPage} />
              <Route path={`${base}producers`} component={ProducersPage} />
              <Route path={`${base}dead-letters`} component={DeadLettersPage} />
              <Route path={`${base}tenants`} component={TenantsPage} />
              <Route path={`${base}intents`} component={IntentsPage} />
              <Route path={`${base}calls`} component={CallsPage} />
              <Route path={`${base}exports`} component={ExportsPage} />
              <Route path={`${base}keys`} component={KeysPage} />
              <Route path={`${base}followers`} component={FollowersPage} />
            </Router>
          </ErrorBoundary>
        )}
      </Shell>
    </TenantsProvider>
  );
}

/** Leads a reader who has signed in back to `/docs`, where they came from. */
function ToDocs({ base }: { readonly base: string }) {
  const { parameters } = usePlace();
  const at = parameters.get('at');
  useEffect(() => location.replace(docsAddress(new URL(base, location.href), at)), [base, at]);
  return null;
}

/** The address without a page leads to the first one that the reader is offered. */
function FirstPage() {
  const { session } = useConsole();
  const place = usePlace();
  const first = pagesFor(session)[0];
  useEffect(() => {
    if (first !== undefined) place.go(place.href(first.page), { replace: true });
  }, [first]);
  if (first !== undefined) return null;
  return (
    <Empty icon="shield" title="Your key may not read anything here">
      <p>It may submit events, for example, and needs no console for that.</p>
      <p>
        Ask the operator of the service for a key with the scopes <code>events:read</code> and{' '}
        <code>log:read</code>, then sign out and sign in with it.
      </p>
    </Empty>
  );
}

function UnknownPage() {
  const { session } = useConsole();
  const place = usePlace();
  const offered = pagesFor(session);
  return (
    <Empty icon="search" title="There is no such page">
      <p>
        The address may be wrong, or the page needs a scope that your key does not have. Your key has{' '}
        {session.scopes.length === 0 ? 'no scope' : <code>{session.scopes.join(', ')}</code>}. If you need the
        page, ask the operator of the service for a key with its scope.
      </p>
      <p class="empty-actions">
        {offered.slice(0, 3).map(({ page, title }) => (
          <a key={page} class="button" href={place.href(page)}>
            {title}
          </a>
        ))}
      </p>
    </Empty>
  );
}
