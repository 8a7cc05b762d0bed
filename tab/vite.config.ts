import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The tab is served under /tab by the program itself; the content security policy allows no inline script. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/tab/',
  plugins: [react()],
  logLevel: 'warn',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    // Both would put text into the page or the script that the policy has to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      // Beside the page: the script of the server's own pages at the end of a consent, under a name they know.
      input: { index: `${import.meta.dirname}/index.html`, connected: `${import.meta.dirname}/connected.ts` },
      output: {
        entryFileNames: ({ name }) => (name === 'connected' ? 'connected.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
