import { defineConfig } from 'vite'

// The same source gives the same bytes; a relative base lets the page stand behind any
// prefix of a proxy; nothing is inlined, which the Content-Security-Policy forbids.
export default defineConfig({
  base: './',
  clearScreen: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2022', modulePreload: false, sourcemap: false },
})
