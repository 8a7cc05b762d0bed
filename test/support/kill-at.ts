import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';

/**
 * `node --import ./test/support/kill-at.ts bot/main.ts`: the process ends itself as `kill -9` would, right before or
 * right after a commit of the clock thread. Armed by a file that holds `{"commit": 3, "when": "before"}`; from then on
 * the clock's commits that changed something are counted. `"commit": 0` kills nobody; how many there were then stands
 * in the same file's neighbour `.seen`.
 */
const file = process.env.TEST_KILL_FILE;
if (!isMainThread && file !== undefined) arm(file);

function arm(order: string): void {
  const prepare = DatabaseSync.prototype.prepare;
  let count = 0;
  DatabaseSync.prototype.prepare = function prepared(this: DatabaseSync, sql: string) {
    const statement = prepare.call(this, sql);
    if (sql !== 'COMMIT') return statement;
    const changes = prepare.call(this, 'SELECT total_changes() AS changes');
    const run = statement.run.bind(statement);
    let before = Number(changes.get()?.changes ?? 0);
    statement.run = () => {
      const now = Number(changes.get()?.changes ?? 0);
      const armed = now !== before && existsSync(order);
      before = now;
      if (!armed) return run();
      count += 1;
      const { commit, when } = JSON.parse(readFileSync(order, 'utf8')) as { commit: number; when: string };
      if (commit === 0) writeFileSync(`${order}.seen`, String(count));
      if (count === commit && when === 'before') process.kill(process.pid, 'SIGKILL');
      const done = run();
      if (count === commit) process.kill(process.pid, 'SIGKILL');
      return done;
    };
    return statement;
  };
}
