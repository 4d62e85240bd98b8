import { useState } from 'preact/hooks';
import { Icon, type IconName } from '../elements/signs/icon.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { readerName } from '../session/session.ts';
import { chooseTheme, storedTheme, type Theme, themes } from './theme.ts';

const icons: { readonly [theme in Theme]: IconName } = { system: 'system', light: 'sun', dark: 'moon' };
const labels: { readonly [theme in Theme]: string } = {
  system: 'System',
  light: 'Light',
  dark: 'Dark',
};

/** Who is signed in, what their key allows, the theme, the keys of the keyboard, and the way out. */
export function SessionMenu() {
  const { session, log, version, signOut } = useConsole();
  const name = readerName(session);
  const [theme, setTheme] = useState(storedTheme);
  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };
  return (
    <div class="session-menu">
      <button type="button" class="button plain" popoverTarget="session-menu">
        <span class="avatar" aria-hidden="true">
          {[...name][0]?.toUpperCase()}
        </span>
        <span class="only-for-screen-readers">Session of</span>
        <span class="session-name">{name}</span>
        <Icon name="chevron" />
      </button>
      <div id="session-menu" popover="auto" class="menu">
        <dl>
          <dt>Signed in as</dt>
          <dd>{session.subject ?? name}</dd>
          <dt>Scopes</dt>
          <dd>{session.scopes.join(', ')}</dd>
          <dt>Tenants</dt>
          <dd>{session.tenants?.join(', ') ?? 'all'}</dd>
          {session.expires_at !== undefined && (
            <>
              <dt>Session ends</dt>
              <dd>
                <Ago value={session.expires_at} />
              </dd>
            </>
          )}
          <dt>Log</dt>
          <dd>{log}</dd>
          <dt>Version</dt>
          <dd>{version}</dd>
        </dl>
        <fieldset class="themes">
          <legend>Theme</legend>
          {themes.map((each) => (
            <button
              type="button"
              class="button"
              key={each}
              aria-pressed={theme === each}
              onClick={() => choose(each)}
            >
              <Icon name={icons[each]} />
              {labels[each]}
            </button>
          ))}
        </fieldset>
        <dl class="keys">
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Search</dd>
          <dt>
            <kbd>j</kbd> <kbd>k</kbd>
          </dt>
          <dd>Next and previous row</dd>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>Open the row</dd>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Close</dd>
        </dl>
        <a class="button" href="../docs">
          API reference
        </a>
        <button type="button" class="button" onClick={signOut}>
          Sign out
        </button>
      </div>
    </div>
  );
}
