import type { LabelEvent } from '../../experiments/index.ts';
import { AppError } from '../../kernel/index.ts';
import { diffPromptVersions, type PromptFamily, type PromptVersion } from '../../prompts/index.ts';
import { messageToWire, parametersToWire } from '../generation-wire.ts';
import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { labelToWire } from '../labels-wire.ts';
import { pathParameter, readQuery } from '../read-query.ts';
import { callContext } from '../request-scope.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { promptDiffQuerySchema, renderBodySchema } from '../schemas/prompt-schema.ts';
import { sendJson } from '../send-json.ts';
import { validateInput } from '../validate-input.ts';

/** For prompt authors: what the registry holds, and a preview without a model call. */
export function promptRoutes(services: HttpServices): readonly RouteDefinition[] {
  const { prompts, labels, settings } = services;
  const toWire = (family: PromptFamily) => familyToWire(family, labels.list(family.name));
  return [
    {
      method: 'get',
      path: '/prompts',
      access: 'read',
      handle(_request, response) {
        const registry = prompts.current();
        sendJson(response, 200, {
          registry_hash: registry.hash,
          default: settings.defaultPrompt,
          prompts: registry.prompts.map(toWire),
          warnings: registry.warnings,
          last_reload: prompts.lastReload(),
        });
      },
    },
    {
      method: 'get',
      path: '/prompts/:name',
      access: 'read',
      handle(request, response) {
        sendJson(response, 200, toWire(prompts.current().family(pathParameter(request, 'name'))));
      },
    },
    {
      method: 'get',
      path: '/prompts/:name/versions/:version',
      access: 'read',
      handle(request, response) {
        const version = prompts
          .current()
          .version(pathParameter(request, 'name'), pathParameter(request, 'version'));
        sendJson(response, 200, versionToWire(version));
      },
    },
    {
      method: 'get',
      path: '/prompts/:name/diff',
      access: 'read',
      handle(request, response) {
        const { from, to } = readQuery(request, promptDiffQuerySchema);
        const name = pathParameter(request, 'name');
        const registry = prompts.current();
        sendJson(response, 200, diffToWire(registry.version(name, from), registry.version(name, to)));
      },
    },
    {
      method: 'post',
      path: '/prompts/:name/render',
      access: 'read',
      async handle(request, response, scope) {
        const json = await readJsonBody(request, settings);
        const body = validateInput(renderBodySchema, json, 'The body');
        // A dry run: selection and rendering are exactly those of a real call.
        const reply = await services.generate.generate(
          {
            surface: 'generate',
            context: callContext(scope),
            source: {
              kind: 'prompt',
              prompt: pathParameter(request, 'name'),
              promptVersion: body.prompt_version ?? null,
              variables: body.variables ?? {},
              profileFeatures: body.profile_features ?? null,
              messages: [],
            },
            route: null,
            model: null,
            parameters: {},
            tools: [],
            toolChoice: null,
            parallelToolCalls: null,
            responseFormat: null,
            extraFields: {},
            userId: null,
            sessionId: null,
            externalId: null,
            assignment: null,
            metadata: null,
            tags: [],
            dryRun: true,
            idempotency: null,
          },
          scope.abort.signal,
        );
        if (reply.kind !== 'dry_run') throw new AppError('internal', 'a dry run came back as a call');
        const { dryRun } = reply;
        sendJson(response, 200, {
          prompt: dryRun.prompt,
          prompt_version: dryRun.promptVersion,
          prompt_hash: dryRun.promptHash,
          version_source: dryRun.versionSource,
          label: dryRun.label,
          messages: dryRun.messages.map(messageToWire),
          variables: dryRun.variables,
        });
      },
    },
  ];
}

function familyToWire(family: PromptFamily, labels: readonly LabelEvent[]) {
  return {
    name: family.name,
    versions: family.versions.map(({ version, hash, description, retired, locked }) => ({
      version,
      hash,
      description,
      retired,
      locked,
    })),
    labels: labels.map(labelToWire),
  };
}

/** Without cases: their inputs are files of authors, who compare what they render on the command line. */
function diffToWire(from: PromptVersion, to: PromptVersion) {
  const diff = diffPromptVersions(from, to, []);
  const side = ({ version, hash, retired }: PromptVersion) => ({ prompt_version: version, hash, retired });
  return {
    prompt: diff.prompt,
    from: side(from),
    to: side(to),
    same: diff.same,
    text: diff.text,
    variables: diff.variables,
    defaults: diff.defaults,
    parameters: diff.parameters,
    input_schema: diff.inputSchema,
    output_schema: diff.outputSchema,
  };
}

function versionToWire(version: PromptVersion) {
  return {
    prompt: version.prompt,
    version: version.version,
    hash: version.hash,
    file: version.file,
    description: version.description,
    retired: version.retired,
    locked: version.locked,
    model: version.model,
    parameters: parametersToWire(version.parameters),
    input_schema: version.inputSchema,
    input_defaults: version.inputDefaults,
    output_format: version.outputFormat,
    output_schema: version.outputSchema,
    fallback_lines: version.fallbackLines,
    source: version.source,
  };
}
