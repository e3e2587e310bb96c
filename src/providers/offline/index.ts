export { OFFLINE_MODEL, OfflineLanguageModel } from './offline-language-model.ts';
