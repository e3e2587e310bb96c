import { AppError } from '../../kernel/index.ts';

/**
 * The base URL an SDK gets: without trailing slash, and with `defaultPath` where the operator wrote only a host
 * (`http://localhost:4000` is how LiteLLM, Ollama and vLLM print their address). Fails with `config_invalid`.
 */
export function normaliseBaseUrl(text: string, source: string, defaultPath: '/v1' | ''): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new AppError('config_invalid', `${source} is not a URL: write it as http://host:port/v1.`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError('config_invalid', `${source} must start with http:// or https://.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError('config_invalid', `${source} holds a password: put the key into api_key_env instead.`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new AppError('config_invalid', `${source} must not have a query or a fragment.`);
  }
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path === '' ? defaultPath : path}`;
}
