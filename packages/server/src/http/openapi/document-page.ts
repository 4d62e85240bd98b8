import type { OpenApiDocument, Operation } from './openapi.ts';

type Json = { readonly [member: string]: unknown };

/**
 * The OpenAPI document as one HTML page without a script, for a service without the package of the console. With that package, `/docs` is a
 * viewer that searches and sends requests (`packages/console/src/docs`), which this package does not bring: the service alone stays small.
 */
export function documentPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = document.tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${slug(name)}">${escapeHtml(name)}</h2>${own.map((each) => operationHtml(each)).join('')}`;
  });
  const schemas = Object.entries((document.components as { schemas: Json }).schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, schema]) => `<details id="schema-${name}"><summary>${name}</summary>${code(schema)}</details>`,
    );
  const contents = document.tags.map(({ name }) => `<a href="#${slug(name)}">${escapeHtml(name)}</a>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(document.info.title)} API</title><style>${style}</style></head>
<body><header><h1>${escapeHtml(document.info.title)} API <small>${escapeHtml(document.info.version)}</small></h1>
<p>${prose(document.info.description)} <a href="openapi.json">openapi.json</a></p>
<p>To search this page and to try requests in it, install the package <code>@tallystick/console</code> beside the package
<code>tallystick</code>, and start the service again.</p>
<nav>${contents.join(' · ')} · <a href="#schemas">Schemas</a></nav></header>
<main>${sections.join('\n')}<h2 id="schemas">Schemas</h2>${schemas.join('\n')}</main></body></html>
`;
}

/** The example of the operation with curl. */
function sampleHtml(operation: Operation): string {
  const [sample] = (operation['x-codeSamples'] ?? []) as readonly { readonly source: string }[];
  return sample === undefined ? '' : `<pre>${escapeHtml(sample.source)}</pre>`;
}

function operationHtml(each: {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}): string {
  const { path, method, operation } = each;
  const parameters = (operation.parameters ?? []) as readonly Json[];
  const body = operation.requestBody as { content: Json } | undefined;
  const parts = [
    typeof operation.description === 'string' ? `<p>${prose(operation.description)}</p>` : '',
    parameters.length === 0 ? '' : table(['Parameter', 'In', 'Type', ''], parameters.map(parameterRow)),
    body === undefined ? '' : table(['Body', 'Schema'], contentRows(body.content)),
    table(['Status', '', 'Schema'], responseRows(operation.responses as Json)),
  ];
  return `<section id="${operation.operationId}"><h3><b class="${method}">${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary)}</p>${sampleHtml(operation)}${parts.join('')}</section>`;
}

function parameterRow(parameter: Json): string[] {
  const name = `<code>${escapeHtml(String(parameter.name))}</code>${parameter.required === true ? ' *' : ''}`;
  return [
    name,
    escapeHtml(String(parameter.in)),
    schemaHtml(parameter.schema),
    prose(String(parameter.description ?? '')),
  ];
}

function contentRows(content: Json): string[][] {
  return Object.entries(content).map(([type, media]) => [
    `<code>${escapeHtml(type)}</code>`,
    schemaHtml((media as Json).schema),
  ]);
}

function responseRows(responses: Json): string[][] {
  return Object.entries(responses).map(([status, response]) => {
    const { description, content } = response as { description: string; content?: Json };
    const [media] = Object.entries(content ?? {});
    const shown =
      media === undefined
        ? ''
        : `<code>${escapeHtml(media[0])}</code> ${schemaHtml((media[1] as Json).schema)}`;
    return [escapeHtml(status), prose(description), shown];
  });
}

function schemaHtml(schema: unknown): string {
  const { $ref, type, enum: values } = (schema ?? {}) as { $ref?: string; type?: unknown; enum?: unknown[] };
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1)!;
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (values !== undefined)
    return values.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(' ');
  if (type === 'object' || type === 'array') return code(schema);
  return escapeHtml(String(type ?? ''));
}

function table(titles: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${line(titles, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`;
}

function code(value: unknown): string {
  return `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`;
}

/** A description as HTML. Of Markdown, it understands paragraphs and `code`. */
function prose(text: string): string {
  return escapeHtml(text)
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll('\n\n', '</p><p>');
}

function slug(name: string): string {
  return name.toLowerCase().replaceAll(/\W+/g, '-');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:3rem;border-bottom:1px solid}
section{margin:2rem 0}
h3 b{font-size:.8em;padding:.1em .5em;border-radius:.3em;color:#fff;background:#2563eb}
h3 b.post{background:#15803d}h3 b.delete{background:#b91c1c}
table{border-collapse:collapse;width:100%;font-size:.9em;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid #8884}
pre{overflow:auto;background:#8881;padding:.5rem;font-size:.85em}
code{font-size:.95em}small{opacity:.6}`;
