import { pageHref } from './match-path.ts';

/**
 * The token of a one-time sign-in link, `/admin/sign-in#<token>`: the part of the address that is never sent to a server.
 * The link leaves the address at once, since neither history nor a shared screen shall keep it. Null: another address.
 */
export function takeSignInToken(): string | null {
  const token = location.hash.slice(1);
  if (location.pathname !== pageHref('/sign-in') || token === '') return null;
  history.replaceState(null, '', pageHref('/'));
  return token;
}
