import { embedded } from './backends.ts';
import { engineContract } from './contract.ts';
import { processContract } from './processes.ts';

engineContract(embedded);
processContract(embedded);
