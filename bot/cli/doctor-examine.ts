import { configureDispatcher } from '../outbound.ts';
import { examineCertificates } from './doctor-certificates.ts';
import {
  examineFolder,
  examineKeyFiles,
  examineNode,
  examinePort,
  examineTab,
  heldBySomebody,
} from './doctor-machine.ts';
import { examineMicrosoft } from './doctor-microsoft.ts';
import { examinePublicUrl } from './doctor-public-url.ts';
import { type Check, look, notChecked } from './doctor-report.ts';
import { examineSettings } from './doctor-settings.ts';
import { examineStore } from './doctor-store.ts';

/**
 * Everything the doctor looks at, with this environment, from this folder. All looks outside run together, each at
 * most 5 s. Writes nothing but a file it removes again, shows no secret, never throws for what it finds.
 */
export async function examine(environment: NodeJS.ProcessEnv, folder: string): Promise<Check[]> {
  const { checks, settings } = examineSettings(environment, folder);
  if (settings === undefined)
    return [...checks, examineNode(), notChecked('everything else', 'The settings cannot be read.')];
  const { config, broken } = settings;
  configureDispatcher();
  const held = heldBySomebody(config);
  const now = Date.now();
  const store = broken.has('MONGODB_URI')
    ? [notChecked('store', 'MONGODB_URI or WATCHPOST_ROLE is wrong.')]
    : look('store', () => examineStore(config, !broken.has('ENCRYPTION_KEYS'), now));
  const port = broken.has('PORT')
    ? Promise.resolve([notChecked('port', 'PORT is wrong.')])
    : look('port', () => examinePort(config, held));
  const microsoft = config.demo
    ? [notChecked('Microsoft', 'The demo plays Microsoft on this machine.')]
    : examineMicrosoft(config, broken);
  const running = port.then((said) => held === true && said.every(({ state }) => state === 'ok'));
  const publicUrl =
    config.demo || broken.has('PUBLIC_URL')
      ? [notChecked('PUBLIC_URL', config.demo ? 'The demo needs none.' : 'PUBLIC_URL is missing or wrong.')]
      : running.then((runs) => look('PUBLIC_URL', (signal) => examinePublicUrl(config, runs, signal)));
  const here = await Promise.all([
    look('data folder', async () => examineFolder(config, held)),
    look('key files', async () => examineKeyFiles(environment, folder)),
    look('certificates', async () => examineCertificates(config, now)),
  ]);
  const outside = await Promise.all([port, store, publicUrl, microsoft]);
  return [...checks, examineNode(), examineTab(config), ...here.flat(), ...outside.flat()];
}
