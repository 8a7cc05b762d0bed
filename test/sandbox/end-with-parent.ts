/** Loaded into the Playground: however the sandbox ends, kill -9 included, its end of this pipe closes. */
process.stdin.on('end', () => process.exit()).resume();
