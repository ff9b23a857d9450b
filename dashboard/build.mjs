// Bundles the page into dist/: index.html, app.js, app.css. The binary embeds what is there.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';

await mkdir('dist', { recursive: true });
await build({
  entryPoints: ['src/app.tsx'], bundle: true, minify: true, format: 'iife', target: 'es2021',
  outfile: 'dist/app.js', jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning',
});
await copyFile('src/index.html', 'dist/index.html');
await copyFile('src/app.css', 'dist/app.css');
