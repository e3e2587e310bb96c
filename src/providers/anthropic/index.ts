export { AnthropicLanguageModel, type AnthropicLanguageModelOptions } from './anthropic-language-model.ts';
