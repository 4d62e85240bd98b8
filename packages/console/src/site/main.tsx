import '@fontsource-variable/inter/wght.css';
import './design/tokens.css';
import './design/base.css';
import './design/elements.css';
import './design/shell.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { SessionRoutes } from './session/session.ts';
import { applyTheme, storedTheme } from './shell/theme.ts';

applyTheme(storedTheme());
// The path of every page is one part deep, so the console's own address is the folder of the page.
const root = new URL('./', document.location.href);
render(<App root={root} routes={new SessionRoutes(root)} />, document.querySelector('#console')!);
