import { join } from 'node:path';
import { build, defaultClientConditions, type UserConfig } from 'vite';

const config: UserConfig = {
  root: import.meta.dirname,
  resolve: { conditions: ['tallystick-source', ...defaultClientConditions] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    lib: {
      entry: {
        'viewer/tallystick-viewer': join(import.meta.dirname, 'src/index.ts'),
        react: join(import.meta.dirname, 'src/react.ts'),
      },
      formats: ['es'],
    },
    minify: true,
    rolldownOptions: { external: ['react'] },
    outDir: join(import.meta.dirname, 'dist'),
    // The types are there already.
    emptyOutDir: false,
    // Browsers with `light-dark()`, adopted style sheets and Ed25519 in WebCrypto.
    target: ['chrome137', 'firefox130', 'safari18'],
    reportCompressedSize: false,
  },
};

export default config;

/** Builds the files into a folder. */
export async function buildViewer(folder: string): Promise<void> {
  await build({
    ...config,
    configFile: false,
    logLevel: 'error',
    build: { ...config.build, outDir: folder },
  });
}
