import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * The entry: `program.ts` with what Node has made of its modules by the last start, a third less to do. It is kept beside
 * the libraries, for whoever may write there decides what runs anyway, and saved by an orderly end. Node's own settings
 * win (`NODE_COMPILE_CACHE`, `NODE_DISABLE_COMPILE_CACHE`); where nothing can be written, nothing is kept.
 */
const folder = fileURLToPath(new URL('../node_modules/.cache/watchpost', import.meta.url));
// The clock's thread takes it over from the environment.
if (enableCompileCache(folder).directory !== undefined) process.env.NODE_COMPILE_CACHE ??= folder;

// Not an import line: those are read before anything here is done.
await import('./program.ts');
