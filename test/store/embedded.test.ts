import { embedded } from './backends.ts';
import { connectContract } from './connect.ts';
import { engineContract } from './contract.ts';
import { credentialContract } from './credentials.ts';
import { hearContract } from './hear.ts';
import { nextCredentialContract } from './next-credentials.ts';
import { processContract } from './processes.ts';
import { subjectContract } from './subjects.ts';
import { workListContract } from './work-list.ts';

engineContract(embedded);
subjectContract(embedded);
credentialContract(embedded);
nextCredentialContract(embedded);
hearContract(embedded);
connectContract(embedded);
processContract(embedded);
workListContract(embedded);
