import '@fontsource-variable/inter/wght.css';
import 'swagger-ui-dist/swagger-ui.css';
import '../site/design/tokens.css';
import '../site/design/base.css';
import '../site/design/elements.css';
import '../site/design/shell.css';
import './docs.css';
import './swagger.css';
import { render } from 'preact';
import { SessionRoutes } from '../site/session/session.ts';
import { applyTheme, storedTheme } from '../site/shell/theme.ts';
import { Caller } from './caller.ts';
import { DocsPage } from './docs-page.tsx';

applyTheme(storedTheme());
// The page is beside the routes of the API and beside the folder of the console, whose session it shares.
const root = new URL('./', document.location.href);
const caller = new Caller(new SessionRoutes(new URL('console/', root)));
// A page that the browser keeps for its Back button would have the key for the next person.
addEventListener('pagehide', () => caller.forgetKey());
render(<DocsPage root={root} caller={caller} />, document.querySelector('#docs')!);
