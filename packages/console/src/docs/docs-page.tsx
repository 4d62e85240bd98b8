import { useEffect, useRef, useState } from 'preact/hooks';
import { Notice } from '../site/elements/notices/notice.tsx';
import { Brand } from '../site/elements/signs/brand.tsx';
import { Icon } from '../site/elements/signs/icon.tsx';
import type { Caller } from './caller.ts';
import { CallerBar } from './caller-bar.tsx';
import { type OpenApiDocument, readDocument } from './openapi.ts';
import { OperationList } from './operation-list.tsx';
import { ThemeChoice } from './theme-choice.tsx';
import { Viewer } from './viewer.tsx';

/** The page `/docs`: the list of operations, who the requests act as, and the viewer of the OpenAPI document. */
export function DocsPage({ root, caller }: { readonly root: URL; readonly caller: Caller }) {
  const [document, setDocument] = useState<OpenApiDocument>();
  const [failure, setFailure] = useState<string>();
  const [isOpen, setOpen] = useState(false);
  const content = useRef<HTMLElement>(null);
  useEffect(() => {
    readDocument(root).then(setDocument, (error: Error) => setFailure(error.message));
    void caller.refresh();
    const refresh = () => {
      if (globalThis.document.visibilityState === 'visible') void caller.refresh();
    };
    globalThis.document.addEventListener('visibilitychange', refresh);
    return () => globalThis.document.removeEventListener('visibilitychange', refresh);
  }, [root, caller]);
  return (
    <div class="docs">
      <button type="button" class="button skip" onClick={() => content.current?.focus()}>
        Skip to the content
      </button>
      <header class="docs-bar">
        <button
          type="button"
          class="button square plain docs-menu"
          aria-label="Operations"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="menu" />
        </button>
        <Brand />
        <span class="docs-title">API</span>
        <a class="button plain docs-console" href="console/">
          Console
        </a>
        <ThemeChoice />
      </header>
      <nav class="docs-operations" aria-label="Operations" data-open={isOpen}>
        {document && <OperationList document={document} onFollow={() => setOpen(false)} />}
      </nav>
      <main class="docs-content" ref={content} tabIndex={-1}>
        <header class="docs-intro">
          <h1>{document?.info.title ?? 'Tallystick'} API</h1>
          {document && (
            <p class="soft">
              {document.info.description} Version {document.info.version}.{' '}
              <a href="openapi.json">openapi.json</a>
            </p>
          )}
        </header>
        <CallerBar caller={caller} />
        {failure !== undefined && (
          <Notice tone="bad" title="The description of the API did not arrive">
            <p>{failure}</p>
          </Notice>
        )}
        {document && <Viewer document={document} root={root} caller={caller} />}
      </main>
    </div>
  );
}
