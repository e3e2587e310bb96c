import type { ApiKey } from '../../access/index.ts';
import { nanoUsdFromUsd, usdFromNanoUsd } from '../../kernel/index.ts';
import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { pathParameter } from '../read-query.ts';
import { callContext } from '../request-scope.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { keyCreateSchema, keyRevokeSchema } from '../schemas/access-schema.ts';
import { sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

/** For admins: who may use the gateway. */
export function keyRoutes({ access, clock, settings }: HttpServices): readonly RouteDefinition[] {
  const { keys } = access;
  return [
    {
      method: 'get',
      path: '/keys',
      access: 'admin',
      handle(_request, response) {
        sendJson(response, 200, { keys: keys.list().map((key) => keyToWire(key, clock.nowMs())) });
      },
    },
    {
      method: 'post',
      path: '/keys',
      access: 'admin',
      async handle(request, response, scope) {
        const json = await readJsonBody(request, settings);
        const body = validateInput(keyCreateSchema, json, 'The body');
        const { key, text } = await keys.create({
          name: body.name,
          scopes: body.scopes,
          expiresAtMs: body.expires_at == null ? null : Date.parse(body.expires_at),
          limits: {
            requestsPerMinute: body.requests_per_minute ?? null,
            tokensPerMinute: body.tokens_per_minute ?? null,
            nanoUsdPerDay: body.usd_per_day == null ? null : nanoUsdFromUsd(body.usd_per_day),
          },
          actor: callContext(scope).apiKeyId,
        });
        sendJson(response, 201, { ...keyToWire(key, clock.nowMs()), key: text });
      },
    },
    {
      method: 'post',
      path: '/keys/:id/revoke',
      access: 'admin',
      async handle(request, response, scope) {
        const json = await readJsonBody(request, settings);
        const { reason } = validateInput(keyRevokeSchema, json, 'The body');
        const key = await keys.revoke(pathParameter(request, 'id'), reason, callContext(scope).apiKeyId);
        sendJson(response, 200, keyToWire(key, clock.nowMs()));
      },
    },
  ];
}

function keyToWire(key: ApiKey, nowMs: number): Record<string, unknown> {
  return {
    id: key.id,
    name: key.name,
    scopes: key.scopes,
    requests_per_minute: key.limits.requestsPerMinute,
    tokens_per_minute: key.limits.tokensPerMinute,
    usd_per_day: usdFromNanoUsd(key.limits.nanoUsdPerDay),
    created_at: isoTime(key.createdAtMs),
    created_by: key.createdBy,
    expires_at: isoTime(key.expiresAtMs),
    revoked_at: isoTime(key.revokedAtMs),
    revoked_reason: key.revokedReason,
    last_used_at: isoTime(key.lastUsedAtMs),
    state: stateOf(key, nowMs),
  };
}

function stateOf({ revokedAtMs, expiresAtMs }: ApiKey, nowMs: number): 'active' | 'expired' | 'revoked' {
  if (revokedAtMs !== null) return 'revoked';
  return expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : 'active';
}

function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
