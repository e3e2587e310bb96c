import type { ApiKeyStore, StoredApiKey } from '../../src/access/index.ts';
import { AppError } from '../../src/kernel/index.ts';

/** A store of keys in memory. `isDown`: every call fails. */
export function memoryApiKeys(): ApiKeyStore & { isDown: boolean; readonly keys: Map<string, StoredApiKey> } {
  const keys = new Map<string, StoredApiKey>();
  let revision = 0;
  const store = {
    keys,
    isDown: false,
    revision: async () => {
      requireUp();
      return revision;
    },
    list: async () => {
      requireUp();
      return [...keys.values()];
    },
    append: async (key: StoredApiKey) => {
      requireUp();
      if (keys.has(key.id)) throw new AppError('conflict', `there is a key ${key.id} already`);
      keys.set(key.id, key);
      revision += 1;
    },
    revoke: async ({ id, revokedAtMs, reason }: Parameters<ApiKeyStore['revoke']>[0]) => {
      requireUp();
      const key = keys.get(id);
      if (key === undefined) return false;
      if (key.revokedAtMs === null) {
        keys.set(id, { ...key, revokedAtMs, revokedReason: reason });
        revision += 1;
      }
      return true;
    },
    noteUse: async (uses: Readonly<Record<string, number>>) => {
      requireUp();
      for (const [id, lastUsedAtMs] of Object.entries(uses)) {
        const key = keys.get(id);
        if (key === undefined) continue;
        keys.set(id, { ...key, lastUsedAtMs: Math.max(key.lastUsedAtMs ?? 0, lastUsedAtMs) });
      }
    },
  };
  function requireUp(): void {
    if (store.isDown) throw new AppError('storage_unavailable', 'down');
  }
  return store;
}
