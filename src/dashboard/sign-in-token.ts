const TOKEN_NAME = 'token';

/**
 * The token of a one-time sign-in link, from the part of the address that is never sent to a server, else from the
 * query. It leaves the address at once: neither history nor a shared screen shall keep it.
 */
export function takeSignInToken(): string | null {
  const query = new URLSearchParams(location.search);
  const token = new URLSearchParams(location.hash.slice(1)).get(TOKEN_NAME) ?? query.get(TOKEN_NAME);
  if (token === null) return null;
  query.delete(TOKEN_NAME);
  const rest = query.toString();
  history.replaceState(null, '', `${location.pathname}${rest === '' ? '' : `?${rest}`}`);
  return token;
}
