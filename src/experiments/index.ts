export {
  defaultVersionWarnings,
  type Selection,
  type SelectionRequest,
  selectVersion,
} from './select-version.ts';
