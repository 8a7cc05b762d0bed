import { embedded } from './backends.ts';
import { engineContract } from './contract.ts';
import { processContract } from './processes.ts';
import { subjectContract } from './subjects.ts';

engineContract(embedded);
subjectContract(embedded);
processContract(embedded);
