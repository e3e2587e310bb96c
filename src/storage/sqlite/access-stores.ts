import type { ApiKeyStore, KeySpendStore, SignInTokenStore } from '../../access/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { SignInTokenUse } from './sign-in-token-rows.ts';
import type { WriterCalls } from './writer-calls.ts';

export function apiKeyStore(writer: WriterCalls, reader: ReaderPort): ApiKeyStore {
  return {
    revision: () => reader.call('apiKeyRevision', {}),
    list: () => reader.call('apiKeys', {}),
    append: async (key) => {
      await writer.submit({ kind: 'append_api_key', key }, 0);
    },
    // The writer answers each kind of command with its own kind of value.
    revoke: async (revocation) => (await writer.submit({ kind: 'revoke_api_key', revocation }, 0)) === 1,
    noteUse: async (lastUsedAtMsById) => {
      await writer.submit({ kind: 'note_key_use', lastUsedAtMsById }, 0);
    },
  };
}

export function keySpendStore(reader: ReaderPort): KeySpendStore {
  return { spentOn: (keyId, dayMs) => reader.call('keySpend', { keyId, dayMs }) };
}

export function signInTokenStore(writer: WriterCalls): SignInTokenStore {
  return {
    appendToken: async (token) => {
      await writer.submit({ kind: 'append_sign_in_token', token }, 0);
    },
    useToken: async (tokenSha256, nowMs) => {
      const value = await writer.submit({ kind: 'use_sign_in_token', tokenSha256, nowMs }, 0);
      return value as SignInTokenUse;
    },
  };
}
