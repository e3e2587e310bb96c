import { type ApiKey, createKeyRing, type KeyLimits, type KeyRing, type Scope } from '../../access/index.ts';
import { nanoUsdFromUsd, silentLogger, usdFromNanoUsd } from '../../kernel/index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ConfigOption, loadCommandConfig } from '../load-command-config.ts';
import { writeJson, writeLine } from '../write-output.ts';

interface KeysOptions extends ConfigOption {
  readonly json?: boolean;
}

export interface KeysCreateOptions extends KeysOptions {
  readonly scopes: readonly Scope[];
  /** Milliseconds from now. */
  readonly expires?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly usdPerDay?: number;
}

export interface KeysRevokeOptions extends KeysOptions {
  readonly reason: string;
}

/** Who acts on the command line: whoever may write the database. */
const ACTOR = 'local';

/** Makes a key and prints it, once. Works beside a serving gateway, which knows it within a second. */
export async function keysCreate(
  name: string,
  options: KeysCreateOptions,
  context: CliContext,
): Promise<ExitCode> {
  return withKeys(options, context, async (keys) => {
    const { key, text } = await keys.create({
      name,
      scopes: options.scopes,
      expiresAtMs: options.expires === undefined ? null : context.clock.nowMs() + options.expires,
      limits: limitsOf(options),
      actor: ACTOR,
    });
    if (options.json === true) {
      await writeJson(context.stdout, { ok: true, ...keyFacts(key, context.clock.nowMs()), key: text });
      return EXIT.ok;
    }
    await writeLine(context.stdout, text);
    await writeLine(
      context.stderr,
      `key ${key.id} "${key.name}" (${key.scopes.join(', ')}); it is shown this once. Use it as: Authorization: Bearer <key>`,
    );
    return EXIT.ok;
  });
}

/** Every key ever made, oldest first, without secrets. */
export async function keysList(options: KeysOptions, context: CliContext): Promise<ExitCode> {
  return withKeys(options, context, async (keys) => {
    const nowMs = context.clock.nowMs();
    const listed = keys.list().map((key) => keyFacts(key, nowMs));
    if (options.json === true) {
      await writeJson(context.stdout, { ok: true, keys: listed });
      return EXIT.ok;
    }
    if (listed.length === 0) {
      await writeLine(context.stdout, 'no keys: the gateway is open to whoever reaches it on loopback');
      return EXIT.ok;
    }
    for (const key of listed) {
      await writeLine(
        context.stdout,
        `${key.id}  ${key.state.padEnd(7)}  ${key.scopes.join(',')}  last used ${key.last_used_at ?? 'never'}  ${key.name}`,
      );
    }
    return EXIT.ok;
  });
}

/** Revokes a key for good: refused everywhere within a second. Fails with `key_not_found`. */
export async function keysRevoke(
  id: string,
  options: KeysRevokeOptions,
  context: CliContext,
): Promise<ExitCode> {
  return withKeys(options, context, async (keys) => {
    const key = await keys.revoke(id, options.reason, ACTOR);
    if (options.json === true) {
      await writeJson(context.stdout, { ok: true, ...keyFacts(key, context.clock.nowMs()) });
    } else {
      await writeLine(context.stdout, `revoked: ${key.id} "${key.name}"`);
    }
    return EXIT.ok;
  });
}

async function withKeys(
  options: KeysOptions,
  context: CliContext,
  work: (keys: KeyRing) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { loaded } = loadCommandConfig(options, context);
  const { openSqliteKeys } = await import('../../storage/sqlite/index.ts');
  const opened = openSqliteKeys({ file: loaded.databaseFile, clock: context.clock });
  try {
    const keys = createKeyRing({ store: opened.store, clock: context.clock, logger: silentLogger });
    await keys.load();
    return await work(keys);
  } finally {
    opened.close();
  }
}

function limitsOf({ requestsPerMinute, tokensPerMinute, usdPerDay }: KeysCreateOptions): KeyLimits {
  return {
    requestsPerMinute: requestsPerMinute ?? null,
    tokensPerMinute: tokensPerMinute ?? null,
    nanoUsdPerDay: usdPerDay === undefined ? null : nanoUsdFromUsd(usdPerDay),
  };
}

function keyFacts(key: ApiKey, nowMs: number) {
  const isExpired = key.expiresAtMs !== null && key.expiresAtMs <= nowMs;
  return {
    id: key.id,
    name: key.name,
    state: key.revokedAtMs !== null ? 'revoked' : isExpired ? 'expired' : 'active',
    scopes: key.scopes,
    requests_per_minute: key.limits.requestsPerMinute,
    tokens_per_minute: key.limits.tokensPerMinute,
    usd_per_day: usdFromNanoUsd(key.limits.nanoUsdPerDay),
    created_at: isoTime(key.createdAtMs),
    expires_at: isoTime(key.expiresAtMs),
    revoked_at: isoTime(key.revokedAtMs),
    revoked_reason: key.revokedReason,
    last_used_at: isoTime(key.lastUsedAtMs),
  };
}

function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
