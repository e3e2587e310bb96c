import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { GatewayApi } from './gateway-api.ts';
import type { Session } from './wire-types.ts';

interface ApiContextValue {
  readonly api: GatewayApi;
  readonly session: Session;
}

export const ApiContext = createContext<ApiContextValue | null>(null);

/** The connection of the page, and what its session may do. */
export function useApi(): ApiContextValue {
  const value = useContext(ApiContext);
  if (value === null) throw new Error('useApi is called outside the signed-in part of the page');
  return value;
}

/** Whether the session may do what needs this scope. The gateway decides; this only spares a reader dead buttons. */
export function useScope(scope: Session['scopes'][number]): boolean {
  return useApi().session.scopes.includes(scope);
}
