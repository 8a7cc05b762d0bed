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
  },
});
