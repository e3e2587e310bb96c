export {
  defaultVersionWarnings,
  type Selection,
  selectVersion,
} from './select-version.ts';
