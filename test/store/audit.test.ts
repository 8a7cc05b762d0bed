import { auditContract } from './audit.ts';
import { embedded } from './backends.ts';

auditContract(embedded);
