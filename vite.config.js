import { brotliCompressSync } from 'node:zlib';
import { defineConfig } from 'vite';

/** Says what a browser has to fetch before it can show the page. */
const reportFirstView = {
  name: 'report-first-view',
  writeBundle(_options, bundle) {
    const files = Object.values(bundle).filter(({ fileName }) => !fileName.endsWith('.map'));
    const bytes = files.reduce(
      (sum, file) => sum + brotliCompressSync(file.type === 'chunk' ? file.code : file.source).length,
      0,
    );
    console.log(`dashboard: first view ${(bytes / 1024).toFixed(1)} KiB compressed`);
  },
};

// The admin page: sources in src/dashboard, served by the gateway from dist/dashboard below /admin.
export default defineConfig({
  root: 'src/dashboard',
  base: '/admin/',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/dashboard',
    emptyOutDir: true,
    // The content security policy knows files of our own only: nothing is put inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    reportCompressedSize: false,
  },
  plugins: [reportFirstView],
});
