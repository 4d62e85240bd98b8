import { useEffect, useState } from 'preact/hooks';
import { chooseTheme, storedTheme, type Theme, themes } from '../site/shell/theme.ts';

const labels: { readonly [theme in Theme]: string } = { system: 'System', light: 'Light', dark: 'Dark' };

/** The theme, which the console shares. */
export function ThemeChoice() {
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: dark)');
    // The viewer's own styles for the dark theme hang on this class.
    const apply = () =>
      document.documentElement.classList.toggle(
        'dark-mode',
        theme === 'dark' || (theme === 'system' && system.matches),
      );
    apply();
    system.addEventListener('change', apply);
    return () => system.removeEventListener('change', apply);
  }, [theme]);
  return (
    <label class="docs-theme">
      <span class="only-for-screen-readers">Theme</span>
      <select
        class="input"
        value={theme}
        onChange={(event) => {
          const chosen = event.currentTarget.value as Theme;
          chooseTheme(chosen);
          setTheme(chosen);
        }}
      >
        {themes.map((each) => (
          <option key={each} value={each}>
            {labels[each]}
          </option>
        ))}
      </select>
    </label>
  );
}
