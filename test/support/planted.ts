import { registerHooks } from 'node:module';

/**
 * `node --import ./test/support/planted.ts bot/main.ts`: the program with defects planted into its source as it is
 * read, for proofs that must find them; or with another constant than in life. `TEST_PLANT` holds a JSON list of
 * `{"file": "bot/x.ts", "from": "…", "to": "…"}`; each `from` stands in its file exactly once, else nothing starts.
 */
export type Planted = { file: string; from: string; to: string };

const wish = process.env.TEST_PLANT;
if (wish !== undefined) plant(JSON.parse(wish) as Planted[]);

function plant(all: readonly Planted[]): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const mine = all.filter(({ file }) => url.endsWith(`/${file}`));
      if (mine.length === 0) return loaded;
      const { source } = loaded;
      if (source === undefined) throw new Error(`${url} has no source`);
      let text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
      for (const { file, from, to } of mine) {
        if (text.split(from).length !== 2) throw new Error(`"${from}" does not stand once in ${file}`);
        text = text.replace(from, () => to);
      }
      return { ...loaded, source: text };
    },
  });
}
