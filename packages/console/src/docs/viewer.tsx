import { useEffect, useRef } from 'preact/hooks';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import type { Caller, TriedRequest } from './caller.ts';
import { briefly, type OpenApiDocument } from './openapi.ts';
import { keepReachable } from './reachable.ts';
import { viewerParts } from './viewer-parts.ts';

/**
 * The OpenAPI document, shown by Swagger UI: it has been kept for 15 years, is released every few weeks, and needs no inline style or
 * script. Nothing of the page's address configures it (`queryConfigEnabled`), and it keeps nothing in the browser
 * (`persistAuthorization`).
 */
export function Viewer({
  document,
  root,
  caller,
}: {
  readonly document: OpenApiDocument;
  readonly root: URL;
  readonly caller: Caller;
}) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const ended = keepReachable(place.current!);
    const viewer = SwaggerUI({
      domNode: place.current!,
      // The service may be below a path of a proxy, where `/` is another one's.
      spec: { ...briefly(document), servers: [{ url: root.href.replace(/\/$/, '') }] },
      plugins: [viewerParts(root)],
      deepLinking: true,
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      defaultModelExpandDepth: 2,
      displayRequestDuration: true,
      // Its colours are fixed ones, which the themes of this page do not have.
      syntaxHighlight: { activated: false },
      queryConfigEnabled: false,
      persistAuthorization: false,
      // A server of Swagger's would otherwise be asked to judge the document.
      validatorUrl: null,
      // The request that is shown has no key and no CSRF value.
      showMutatedRequest: false,
      requestInterceptor: (request: TriedRequest) => caller.authorize(request, root),
      responseInterceptor: (response: { readonly url: string }) => {
        // The operations of the console sign in and out.
        if (response.url.endsWith('/console/session')) void caller.refresh();
        return response;
      },
    });
    const follow = () => viewer.layoutActions.parseDeepLinkHash(decoded(location.hash));
    addEventListener('hashchange', follow);
    return () => {
      ended();
      removeEventListener('hashchange', follow);
    };
  }, [document, root, caller]);
  return <div class="docs-viewer" ref={place} />;
}

/** The fragment of the address. Text that is no encoding stays as it is, and names no operation. */
function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
