import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build, defaultClientConditions, type Plugin, type UserConfig } from 'vite';

/** Text files are served compressed. The service has no time to do it well at each request, so the build does it once. */
const compressed = /\.(js|css|html|svg)$/;

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
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
      }
    },
  };
}

const config: UserConfig = {
  root: join(import.meta.dirname, 'src/site'),
  // Addresses inside index.html are relative, so that the console works below any path of a proxy.
  base: './',
  plugins: [withBrotli()],
  resolve: { conditions: ['tallystick-source', ...defaultClientConditions] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: join(import.meta.dirname, 'dist/site'),
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

/** Builds the files into a folder. */
export async function buildSite(folder: string): Promise<void> {
  await build({
    ...config,
    configFile: false,
    logLevel: 'error',
    build: { ...config.build, outDir: folder },
  });
}
