import { useState } from 'preact/hooks';
import { Notice } from '../elements/notices/notice.tsx';
import { Brand } from '../elements/signs/brand.tsx';
import type { Entrance, Proof } from './session.ts';

/** The page of the console that the address names, with its query. The service opens it again after a login. */
function pageToOpen(): string {
  return location.pathname.split('/').at(-1) + location.search;
}

/** Signs the reader in with an API key, or with the login of the organisation. */
export function SignInPage({
  entrance,
  reason,
  signIn,
}: {
  readonly entrance: Entrance;
  /** Why the last attempt failed, or why the session is over. */
  readonly reason: string | undefined;
  readonly signIn: (proof: Proof) => Promise<void>;
}) {
  const [isBusy, setBusy] = useState(false);
  const { key: byKey, login } = entrance.sign_in;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = String(new FormData(form).get('key') ?? '').trim();
    setBusy(true);
    await signIn({ key });
    setBusy(false);
  };
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <Brand />
        <div>
          <h1>Sign in</h1>
          <p class="soft">
            to the audit trail <strong>{entrance.log}</strong>
          </p>
        </div>
        {reason !== undefined && (
          <Notice tone="bad" title="You are not signed in">
            <p>{reason}</p>
          </Notice>
        )}
        {login !== undefined && (
          <a
            class={`button ${byKey ? '' : 'main'}`}
            href={`${login.href}?page=${encodeURIComponent(pageToOpen())}`}
          >
            Continue with {login.name}
          </a>
        )}
        {byKey && (
          <form class="sign-in-form" onSubmit={submit}>
            <label class="field">
              API key
              <input
                class="input code"
                name="key"
                type="password"
                autocomplete="off"
                spellcheck={false}
                placeholder="tally_…"
                required
                aria-describedby="key-hint"
              />
            </label>
            <p class="hint soft" id="key-hint">
              The browser keeps no copy of the key. It gets a session, which ends when you sign out.
            </p>
            <button type="submit" class="button main" disabled={isBusy}>
              {isBusy ? 'Signing in …' : 'Sign in'}
            </button>
          </form>
        )}
        <details class="soft">
          <summary>I have no key</summary>
          <p>
            On your own machine, <code>tally dev</code> prints a link that signs you in once. For a shared
            service, ask its operator for a key with the scopes <code>events:read</code> and{' '}
            <code>log:read</code>.
          </p>
        </details>
      </div>
      <p class="faint">Tallystick {entrance.version}</p>
    </main>
  );
}
