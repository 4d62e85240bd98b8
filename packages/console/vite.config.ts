import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, defaultClientConditions, type Plugin, type UserConfig } from 'vite';

/** Text files are served compressed. The service has no time to do it well at each request, so the build does it once. */
const compressed = /\.(js|css|html|svg)$/;

/** Above 500 kB, the best quality takes seconds, and saves a tenth of the bytes. */
function compress(text: Buffer): Buffer {
  const quality = text.length > 500_000 ? 9 : 11;
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
}

function withBrotli(): Plugin {
  let folder = '';
  return {
    name: 'with-brotli',
    apply: 'build',
    configResolved: ({ build }) => {
      folder = build.outDir;
    },
    closeBundle: () => {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!compressed.test(name)) continue;
        const path = join(folder, name);
        writeFileSync(`${path}.br`, compress(readFileSync(path)));
      }
    },
  };
}

/** Swagger UI's licence asks that its texts go with each copy. */
function withLicenses(): Plugin {
  const library = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  return {
    name: 'with-licenses',
    apply: 'build',
    generateBundle() {
      const texts = ['NOTICE', 'LICENSE', 'swagger-ui-es-bundle.js.LICENSE.txt'];
      const source = texts.map((name) => readFileSync(join(library, name), 'utf8')).join('\n');
      this.emitFile({ type: 'asset', fileName: 'assets/swagger-ui.LICENSE.txt', source });
    },
  };
}

const site = join(import.meta.dirname, 'dist/site');

/** The console. */
const config: UserConfig = {
  root: join(import.meta.dirname, 'src/site'),
  // Addresses inside index.html are relative, so that the console works below any path of a proxy.
  base: './',
  plugins: [withBrotli()],
  resolve: { conditions: ['tallystick-source', ...defaultClientConditions] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: site,
    emptyOutDir: true,
    // Browsers with `light-dark()`, popovers and Ed25519 in WebCrypto.
    target: ['chrome137', 'firefox130', 'safari18'],
    // A strict Content-Security-Policy allows no file inside a data: address, and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
};

export default config;

/**
 * The documentation of the API, in the folder `docs` of the console's files. A build of its own, so that no part of the console becomes
 * larger or is cut differently for it.
 */
export const docsConfig: UserConfig = {
  ...config,
  root: join(import.meta.dirname, 'src/docs'),
  plugins: [withBrotli(), withLicenses()],
  // The page's address is `/docs`, beside the folder with its files.
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === 'html' ? `docs/${name}` : { relative: true }),
  },
  build: { ...config.build, outDir: join(site, 'docs'), chunkSizeWarningLimit: 2_000 },
};

/** Builds the files into a folder: the console, and the documentation of the API in `docs`. */
export async function buildSite(folder: string): Promise<void> {
  for (const [each, outDir] of [
    [config, folder],
    [docsConfig, join(folder, 'docs')],
  ] as const)
    await build({ ...each, configFile: false, logLevel: 'error', build: { ...each.build, outDir } });
}
