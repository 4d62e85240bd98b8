import { useSignalEffect } from '@preact/signals';
import { useState } from 'preact/hooks';
import { signInForDocs } from '../site/session/to-docs.ts';
import type { Caller } from './caller.ts';

/** Says who the requests act as, and lets the reader change it. */
export function CallerBar({ caller }: { readonly caller: Caller }) {
  const [, draw] = useState(0);
  useSignalEffect(() => {
    void [caller.entrance.value, caller.key.value, caller.failure.value];
    draw((count) => count + 1);
  });
  const session = caller.entrance.value?.session;
  const hasKey = caller.key.value !== undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = String(new FormData(form).get('key') ?? '').trim();
    form.reset();
    if (key !== '') caller.useKey(key);
  };
  return (
    <section class="docs-caller" aria-label="Who requests act as">
      <p role="status">
        {hasKey ? (
          <>
            <strong>Requests use the key that you typed.</strong>{' '}
            <span class="soft">This page forgets it when you leave.</span>
          </>
        ) : session ? (
          <>
            <strong>Requests act as {session.subject ?? session.name}.</strong>{' '}
            <span class="soft">This is your session of the console.</span>
          </>
        ) : (
          <>
            <strong>You are not signed in.</strong>{' '}
            <span class="soft">
              To try requests, type an API key or{' '}
              <a href={signInForDocs(location.hash)} onClick={renewHref}>
                sign in
              </a>
              .
            </span>
          </>
        )}
        {caller.failure.value !== undefined && <span class="soft"> {caller.failure.value}</span>}
      </p>
      {hasKey ? (
        <button type="button" class="button" onClick={() => caller.forgetKey()}>
          Forget the key
        </button>
      ) : (
        <form onSubmit={submit}>
          <input
            class="input code"
            name="key"
            type="password"
            autocomplete="off"
            spellcheck={false}
            placeholder="tally_…"
            aria-label="API key"
            required
          />
          <button type="submit" class="button">
            Use this key
          </button>
        </form>
      )}
      {!hasKey && session && (
        <button type="button" class="button" onClick={() => void caller.signOut()}>
          Sign out
        </button>
      )}
    </section>
  );
}

/** The reader may have opened another operation since the link was drawn. */
function renewHref({ currentTarget }: { readonly currentTarget: HTMLAnchorElement }): void {
  currentTarget.href = signInForDocs(location.hash);
}
