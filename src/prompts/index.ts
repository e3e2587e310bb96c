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
