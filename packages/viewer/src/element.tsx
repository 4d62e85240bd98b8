import { createClient } from '@tallystick/client';
import { render } from 'preact';
import type { AlarmDetail } from './contract.ts';
import { TokenSource } from './token-source.ts';
import css from './view/viewer.css?inline';
import { Viewer } from './view/viewer.tsx';
import type { ViewerWords } from './words/viewer-words.ts';
import { wordsFor } from './words/words.ts';

const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;
let sheet: CSSStyleSheet | undefined;

/**
 * `<tallystick-viewer server="https://audit.example.com" token="tally_view_…">`: a list of the events that the token shows, with their
 * details and the verification by this browser.
 *
 * Events: `tallystick-alarm` ({@link AlarmDetail}), and `token-expired` when the element needs a token: the page sets `token`, or has set
 * `getToken` in advance.
 */
export class TallystickViewer extends Base {
  static readonly observedAttributes = ['server', 'token', 'lang', 'log-key'];

  /** Returns a new token when the service refuses the last one. */
  getToken: (() => Promise<string>) | undefined;
  /** Own texts, instead of those of the language. */
  words: Partial<ViewerWords> | undefined;
  readonly #tokens = new TokenSource(async () => {
    this.dispatchEvent(new CustomEvent('token-expired', { bubbles: true, composed: true }));
    return await this.getToken?.();
  });
  /** Grows when everything must be read anew. */
  #round = 0;
  #hasEnded = false;

  /** The viewer token. A page may set the next one at any time; what is shown stays. */
  get token(): string | undefined {
    return this.#tokens.token;
  }

  set token(token: string | undefined) {
    this.#tokens.token = token === '' ? undefined : token;
    if (this.#hasEnded && this.#tokens.token !== undefined) this.#round++;
    this.#draw();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (name === 'token') this.token = now ?? undefined;
    else this.#draw();
  }

  connectedCallback(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    // A sheet of the constructor needs no inline style, which a strict Content-Security-Policy refuses.
    if (sheet === undefined) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    root.adoptedStyleSheets = [sheet];
    this.#draw();
  }

  disconnectedCallback(): void {
    if (this.shadowRoot !== null) render(null, this.shadowRoot);
  }

  #draw(): void {
    if (!this.isConnected || this.shadowRoot === null) return;
    const server = this.getAttribute('server');
    if (server === null || (this.#tokens.token === undefined && this.getToken === undefined)) return;
    const language = this.lang || document.documentElement.lang || navigator.language;
    this.#hasEnded = false;
    const element = (
      <Viewer
        key={`${server} ${this.#round}`}
        server={new URL(server, document.baseURI).href}
        openClient={(url) => createClient({ url, apiKey: this.#tokens.next })}
        logKey={this.getAttribute('log-key') ?? undefined}
        language={language}
        words={wordsFor(language, this.words)}
        onEnded={() => {
          this.#hasEnded = true;
        }}
        onAlarm={(detail: AlarmDetail) => {
          const options = { bubbles: true, composed: true, detail };
          this.dispatchEvent(new CustomEvent('tallystick-alarm', options));
        }}
      />
    );
    render(element, this.shadowRoot);
  }
}
