/** The two ways in: what people type, and what they press. */
export { cardActions } from './card-actions.ts';
export { changesSomething, runCommand } from './run-command.ts';
