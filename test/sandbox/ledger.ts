import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One thing the connector took: what a person would now see in Teams, whatever the sender was told. */
export type Post = {
  /** Grows by one; survives restarts. */
  seq: number;
  at: string;
  conversation: string;
  kind: 'create' | 'update' | 'delete';
  targeted: boolean;
  activityId: string;
  replyTo?: string;
  /** What was posted; null for a deletion. */
  activity: Record<string, unknown> | null;
  /** What the sender was told: 2xx, or the fault that hid the success (0 = connection cut). */
  status: number;
};

export type Ledger = {
  posts: Post[];
  add(post: Omit<Post, 'seq'>): Post;
  /** True while this activity of the conversation has been posted and not deleted. */
  stands(conversation: string, activityId: string): boolean;
  close(): Promise<void>;
};

/** More are not kept: enough for the largest proof, an end for a demo that runs for weeks. */
const kept = 50_000;

/** Opens the folder's ledger: one line a post, appended at once, shortened when it is opened. */
export async function openLedger(folder: string): Promise<Ledger> {
  const file = join(folder, 'ledger.jsonl');
  const posts = (await readPosts(file)).slice(-kept);
  const draft = `${file}.new`;
  await writeFile(draft, posts.map((post) => `${JSON.stringify(post)}\n`).join(''), { mode: 0o600 });
  await rename(draft, file);
  const stream: WriteStream = createWriteStream(file, { flags: 'a' });
  let seq = posts.at(-1)?.seq ?? 0;
  const standing = new Set<string>();
  posts.forEach(note);
  function note(post: Omit<Post, 'seq'>): void {
    const key = keyOf(post.conversation, post.activityId);
    if (post.kind === 'delete') standing.delete(key);
    else standing.add(key);
  }
  return {
    posts,
    stands: (conversation, activityId) => standing.has(keyOf(conversation, activityId)),
    add(post) {
      seq += 1;
      const whole = { seq, ...post };
      note(whole);
      posts.push(whole);
      if (posts.length > kept + 1_000) posts.splice(0, posts.length - kept);
      stream.write(`${JSON.stringify(whole)}\n`);
      return whole;
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

/** Messages of a thread and of its channel share their ids. */
function keyOf(conversation: string, activityId: string): string {
  return `${conversation.replace(/;messageid=.*$/, '')} ${activityId}`;
}

async function readPosts(file: string): Promise<Post[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  // A process that was killed may have left half a line at the end; only whole lines count.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Post);
}
