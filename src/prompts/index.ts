export { importPrompts } from './import-prompts.ts';
export { lintPrompts } from './lint-prompts.ts';
export { loadPromptRegistry } from './load-prompt-registry.ts';
export { addPromptVersion, type NewVersion } from './new-version.ts';
export type { PromptCase } from './parse-cases.ts';
export { type PromptCaseReport, readPromptCases, runPromptCases } from './prompt-cases.ts';
export { diffPromptVersions, messagesText, type PromptDiff } from './prompt-diff.ts';
export type { PromptLimits } from './prompt-limits.ts';
export { lockPrompts, retirePrompt } from './prompt-lock.ts';
export { createPromptStore } from './prompt-store.ts';
export type {
  OutputCheck,
  PromptFamily,
  PromptRegistry,
  PromptStore,
  PromptVersion,
  ReloadReport,
} from './types.ts';
export { updatePromptCases } from './update-cases.ts';
