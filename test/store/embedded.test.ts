import { embedded } from './backends.ts';
import { engineContract } from './contract.ts';

engineContract(embedded);
