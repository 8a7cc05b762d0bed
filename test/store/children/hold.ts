import { WatchpostError } from '../../../bot/errors.ts';
import { holdFolder } from '../../../bot/store/engine/instance.ts';

/** Holds a folder until it is killed, or says why it cannot. */
try {
  const held = holdFolder(process.argv[2] ?? '');
  process.stdout.write(`held ${held.instanceId}\n`);
  setInterval(() => held.instanceId, 1_000);
} catch (error) {
  if (!(error instanceof WatchpostError)) throw error;
  process.stdout.write(`${error.code}: ${error.message}\n`);
}
