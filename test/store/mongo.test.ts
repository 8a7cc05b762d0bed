import { test } from '@jest/globals';
import { auditContract } from './audit.ts';
import { mongoAt } from './backends.ts';
import { connectContract } from './connect.ts';
import { engineContract } from './contract.ts';
import { credentialContract } from './credentials.ts';
import { directoryContract } from './directories.ts';
import { hearContract } from './hear.ts';
import { nextCredentialContract } from './next-credentials.ts';
import { processContract } from './processes.ts';
import { subjectContract } from './subjects.ts';
import { workListContract } from './work-list.ts';

const uri = process.env.MONGODB_URI ?? '';
if (uri === '') {
  test.skip('the store on MongoDB: set MONGODB_URI, `npm run mongo` starts one', () => undefined);
} else {
  engineContract(mongoAt(uri));
  subjectContract(mongoAt(uri));
  credentialContract(mongoAt(uri));
  nextCredentialContract(mongoAt(uri));
  hearContract(mongoAt(uri));
  connectContract(mongoAt(uri));
  processContract(mongoAt(uri));
  workListContract(mongoAt(uri));
  directoryContract(mongoAt(uri));
  auditContract(mongoAt(uri));
}
