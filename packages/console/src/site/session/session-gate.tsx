import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { Notice } from '../elements/notices/notice.tsx';
import { ConsoleProvider } from './console-context.ts';
import { takeLinkSecret } from './link-secret.ts';
import { takeLoginFailure } from './login-failure.ts';
import type { Entrance, Proof, SessionRoutes } from './session.ts';
import { SignInPage } from './sign-in-page.tsx';

/** Shows the pages to a reader who is signed in, and the sign-in page to others. The address stays, so a shared view opens afterwards. */
export function SessionGate({
  routes,
  children,
}: {
  readonly routes: SessionRoutes;
  readonly children: ComponentChildren;
}) {
  const [entrance, setEntrance] = useState<Entrance>();
  const [reason, setReason] = useState<string>();
  const open = useCallback(async (reading: Promise<Entrance>) => {
    try {
      setEntrance(await reading);
      setReason(undefined);
    } catch (error) {
      setReason((error as Error).message);
    }
  }, []);
  useEffect(() => {
    void enter();
    async function enter() {
      const link = takeLinkSecret();
      const failure = takeLoginFailure();
      if (link !== undefined) await open(routes.signIn({ link }));
      else await open(routes.read());
      if (failure !== undefined) setReason(failure);
      // A used link tells why it failed; the page still has to know the ways to sign in.
      if (link !== undefined)
        await routes.read().then(
          (read) => setEntrance((now) => now ?? read),
          () => {},
        );
    }
  }, [routes, open]);
  const session = entrance?.session ?? undefined;
  const context = useMemo(() => {
    if (entrance === undefined || session === undefined) return undefined;
    const end = (why?: string) => {
      setEntrance({ ...entrance, session: null });
      setReason(why);
    };
    const signOut = () => {
      void routes.signOut(session).finally(() => end());
    };
    const client = routes.clientFor(session, () =>
      end('Your session is over. Sign in again to go on where you were.'),
    );
    return { session, client, log: entrance.log, version: entrance.version, signOut };
  }, [routes, entrance, session]);

  if (context !== undefined) return <ConsoleProvider value={context}>{children}</ConsoleProvider>;
  if (entrance !== undefined) {
    const signIn = async (proof: Proof) => await open(routes.signIn(proof));
    return <SignInPage entrance={entrance} reason={reason} signIn={signIn} />;
  }
  if (reason === undefined) return <p class="only-for-screen-readers">Loading</p>;
  return (
    <main class="sign-in">
      <Notice tone="bad" title="The console can't reach the service">
        <p>{reason}</p>
        <button type="button" class="button" onClick={() => void open(routes.read())}>
          Try again
        </button>
      </Notice>
    </main>
  );
}
