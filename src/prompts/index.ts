export { loadPromptRegistry, type PromptLoad, type PromptLoadOptions } from './load-prompt-registry.ts';
export { type PromptCaseReport, type PromptCaseResult, runPromptCases } from './prompt-cases.ts';
export type { PromptLimits } from './prompt-limits.ts';
export { lockPrompts, retirePrompt } from './prompt-lock.ts';
export { createPromptStore, type PromptStoreOptions } from './prompt-store.ts';
export type {
  OutputCheck,
  PromptFamily,
  PromptRegistry,
  PromptStore,
  PromptVersion,
  ReloadReport,
  RenderedPrompt,
  RenderInput,
} from './types.ts';
