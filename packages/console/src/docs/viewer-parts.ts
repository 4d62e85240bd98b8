import { narrowDocument } from './narrow-document.ts';
import { shellVariables } from './shell-variables.ts';

/** What Swagger UI hands to a plugin, as far as this page uses it. */
interface ViewerSystem {
  readonly React: {
    createElement(type: unknown, props?: object | null, ...children: unknown[]): unknown;
    Fragment: unknown;
  };
  readonly fn: {
    requestSnippetGenerator_curl_bash(request: unknown): string;
    resolveSubtree(document: object, path: readonly string[], options: object): Promise<unknown>;
  };
  readonly specSelectors: { specJson(): { getIn(path: readonly string[]): unknown } };
}

type Props = { readonly [name: string]: unknown };
type Component = (props: Props) => unknown;

const nothing: Component = () => null;

/** The parts of Swagger UI that this page draws itself or leaves out, as a plugin. */
export function viewerParts(root: URL) {
  return ({ React, fn, specSelectors }: ViewerSystem) => {
    const { createElement: element } = React;
    const { resolveSubtree } = fn;
    const code = (text: string) =>
      element('pre', { className: 'docs-code', tabIndex: 0 }, element('code', null, text));
    return {
      fn: {
        resolveSubtree: (
          document: { readonly [name: string]: unknown },
          path: readonly string[],
          options: object,
        ) => resolveSubtree(narrowDocument(document, path), path, options),
      },
      components: {
        // The page has these itself: the title, who the requests act as, the list of operations.
        InfoContainer: nothing,
        ServersContainer: nothing,
        SchemesContainer: nothing,
        FilterContainer: nothing,
        authorizeBtn: nothing,
        authorizeOperationBtn: nothing,
        onlineValidatorBadge: nothing,
        SkipToOperations: nothing,
        // The library's is a link inside a button. The list of operations has links.
        DeepLink: ({ text }: Props) => element('span', null, text),
        Markdown: ({ source }: Props) => prose(String(source ?? ''), element),
        curl: ({ request }: Props) =>
          element(
            'div',
            { className: 'docs-curl' },
            element('h4', null, 'curl'),
            code(shellVariables(fn.requestSnippetGenerator_curl_bash(request), root)),
          ),
      },
      statePlugins: {
        layout: {
          wrapActions: {
            // The library's own scrolls to where the operation was before the parts above it had their height.
            scrollToElement: () => (operation: Element) => operation.scrollIntoView({ block: 'start' }),
          },
        },
      },
      wrapComponents: {
        responses: (Responses: unknown) => (props: Props) => {
          const { path, method } = props as { path: string; method: string };
          const sample = specSelectors
            .specJson()
            .getIn(['paths', path, method, 'x-codeSamples', '0', 'source']);
          return element(
            React.Fragment,
            null,
            typeof sample === 'string' &&
              element(
                'div',
                { className: 'docs-sample' },
                element('h4', null, 'Example with curl'),
                code(sample),
              ),
            element(Responses, props),
          );
        },
      },
    };
  };
}

/**
 * A description as paragraphs with code in them: the Markdown that the document uses. The viewer's own Markdown sets HTML, which the
 * Content-Security-Policy of this page refuses for the whole page (`require-trusted-types-for`).
 */
function prose(text: string, element: ViewerSystem['React']['createElement']): unknown {
  // The viewer itself marks the word `Example` of a parameter as italic.
  const paragraphs = text
    .replaceAll(/<\/?i>/g, '')
    .trim()
    .split(/\n{2,}/)
    .filter(Boolean);
  return element(
    'div',
    { className: 'markdown' },
    ...paragraphs.map((paragraph) =>
      element(
        'p',
        null,
        ...paragraph
          .split(/(`[^`]+`)/)
          .map((part) =>
            part.length > 2 && part.startsWith('`') ? element('code', null, part.slice(1, -1)) : part,
          ),
      ),
    ),
  );
}
