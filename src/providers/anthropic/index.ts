export { AnthropicLanguageModel } from './anthropic-language-model.ts';
