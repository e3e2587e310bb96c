export {
  type ApiKey,
  type ApiKeyStore,
  type KeyLimits,
  type KeyRevocation,
  type Principal,
  SCOPES,
  type Scope,
  type StoredApiKey,
} from './access-types.ts';
export { createKeyGuard, type KeyGuard } from './key-guard.ts';
export {
  type CallReservation,
  createKeyLimiter,
  type KeyLimiter,
  type KeySpendStore,
  type LimitStanding,
} from './key-limits.ts';
export { createKeyRing, type KeyRequest, type KeyRing } from './key-ring.ts';
export { createSessions, SESSION_MS, type Session, type Sessions } from './sessions.ts';
export { createSignInLinks, type SignInLinks, type SignInTokenStore } from './sign-in-links.ts';
