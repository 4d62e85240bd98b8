import { LocationProvider } from 'preact-iso';
import { Pages } from './pages.tsx';
import type { SessionRoutes } from './session/session.ts';
import { SessionGate } from './session/session-gate.tsx';

/** The console. `root` is its address, with a slash at its end. */
export function App({ root, routes }: { readonly root: URL; readonly routes: SessionRoutes }) {
  return (
    <LocationProvider scope={root.pathname}>
      <SessionGate routes={routes}>
        <Pages base={root.pathname} />
      </SessionGate>
    </LocationProvider>
  );
}
