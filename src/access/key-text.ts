import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Lower-case letters and digits that nobody mixes up when a key is read out. */
const ID_ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_CHARACTERS = 12;
const SECRET_BYTES = 32;
const KEY = /^pgw_([a-z2-9]{12})_([A-Za-z0-9_-]{43})$/;

export interface KeyText {
  readonly id: string;
  readonly secret: string;
  /** `pgw_<id>_<secret>`: shown once. */
  readonly text: string;
}

/** A new key: 60 random bits of id, 256 of secret. */
export function mintKey(): KeyText {
  const id = [...randomBytes(ID_CHARACTERS)].map((byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join('');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, secret, text: `pgw_${id}_${secret}` };
}

/** Null: the text has not the form of a key. */
export function readKey(text: string): Pick<KeyText, 'id' | 'secret'> | null {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

/** SHA-256 of a secret, 64 hex digits. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Takes the same time wherever the two differ. */
export function isSecretOf(secret: string, sha256Hex: string): boolean {
  const presented = createHash('sha256').update(secret).digest();
  const stored = Buffer.from(sha256Hex, 'hex');
  return stored.length === presented.length && timingSafeEqual(presented, stored);
}
