import { describe, expect, test } from '@jest/globals';
import { render, renderError, renderLines, versionOf } from './temporary-prompts.ts';

describe('render limits', () => {
  test('stops five nested loops long before they block the process', async () => {
    const loops = '{{#each l}}{{#each ../l}}{{#each ../../l}}{{#each ../../../l}}{{#each ../../../../l}}';
    const version = await versionOf(`x${loops}y${'{{/each}}'.repeat(5)}`);

    const startedMs = performance.now();
    const error = renderError(version, { l: Array(20).fill(1) });

    expect(error.code).toBe('template_limit_exceeded');
    expect(error.message).toContain('max_loop_steps (10000)');
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  test('counts loop steps exactly', async () => {
    const version = await versionOf('{{#each l}}.{{/each}}', {}, { limits: { maxLoopSteps: 3 } });

    expect(renderLines(version, { l: [1, 2, 3] })).toEqual(['user: ...']);
    expect(renderError(version, { l: [1, 2, 3, 4] }).code).toBe('template_limit_exceeded');
  });

  test('counts output in bytes of UTF-8, exactly', async () => {
    const version = await versionOf(
      '{{role "system"}}{{a}}{{role "user"}}{{b}}',
      {},
      { limits: { maxOutputBytes: 12 } },
    );

    expect(renderLines(version, { a: 'aé', b: '😀€ab' })).toHaveLength(2);
    expect(renderError(version, { a: 'aé', b: '😀€abc' }).code).toBe('template_limit_exceeded');
    expect(renderError(version, { a: 'x'.repeat(13), b: 'y' }).message).toContain('max_output_bytes (12)');
  });

  test('the limit holds within partials, JSON and lists', async () => {
    const version = await versionOf(
      '{{#each l}}\n  {{> lines}}\n{{/each}}{{json l}}',
      { '_lines.prompt': '{{this}}\n' },
      { limits: { maxOutputBytes: 1_000 } },
    );

    expect(renderError(version, { l: Array(300).fill('a\nb') }).code).toBe('template_limit_exceeded');
    expect(renderError(version, { l: ['x'.repeat(996)] }).code).toBe('template_limit_exceeded');
  });

  test('text that is made and not printed counts as well', async () => {
    const version = await versionOf(
      'x{{#each l}}{{truncate (json ../big) 5}}{{fence ../big max=5}}{{/each}}',
    );
    const startedMs = performance.now();

    const error = renderError(version, { l: Array(500).fill(1), big: 'x'.repeat(1_000_000) });

    expect(error.code).toBe('template_limit_exceeded');
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  test('earlier turns are bounded by the request, not by the prompt', async () => {
    const version = await versionOf('x', {}, { limits: { maxOutputBytes: 10 } });
    const turn = { role: 'user', content: [{ kind: 'text', text: 'long '.repeat(100) }] } as const;

    expect(render(version, {}, { history: [turn] })).toHaveLength(2);
  });

  test('a value that JSON cannot hold is the caller’s fault, not ours', async () => {
    const version = await versionOf('{{json a}}');
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;

    expect(renderError(version, { a: circular }).code).toBe('template_input_invalid');
  });
});
