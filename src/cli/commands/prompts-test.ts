import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { loadCommandPrompts } from '../load-command-prompts.ts';
import { writeJson, writeLine } from '../write-output.ts';
import type { PromptsTestOptions } from './prompts-test-live.ts';

/** Runs the cases of all prompts, or of one. Exit code 1 when a case fails or a version in force has none. */
export async function promptsTest(
  prompt: string | null,
  options: PromptsTestOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { directory, registry } = await loadCommandPrompts(options, context);
  const { runPromptCases, updatePromptCases } = await import('../../prompts/index.ts');
  const prompts = prompt === null ? registry.prompts : [registry.family(prompt)];
  if (options.update === true) {
    for (const name of await updatePromptCases(prompts, directory)) {
      await writeLine(context.stderr, `updated: ${name}`);
    }
  }
  const { results, uncovered, faults } = await runPromptCases({ ...registry, prompts }, directory);
  const failed = results.filter(({ ok }) => !ok);
  const isOk = failed.length === 0 && uncovered.length === 0 && faults.length === 0;
  if (options.json === true) {
    await writeJson(context.stdout, {
      ok: isOk,
      passed: results.length - failed.length,
      failed,
      uncovered,
      faults,
    });
    return isOk ? EXIT.ok : EXIT.failed;
  }
  for (const fault of faults) await writeLine(context.stdout, `fault: ${fault.path}  ${fault.message}`);
  for (const { prompt: name, version, name: title, faults: differences } of failed) {
    await writeLine(context.stdout, `failed: ${name}@${version} "${title}"`);
    for (const { path, message } of differences) await writeLine(context.stdout, `  ${path}  ${message}`);
  }
  for (const name of uncovered) await writeLine(context.stdout, `no case: ${name}`);
  const passed = `${results.length - failed.length} ${results.length - failed.length === 1 ? 'case' : 'cases'} passed`;
  await writeLine(context.stdout, isOk ? `ok: ${passed}` : `${passed}, ${failed.length} failed`);
  return isOk ? EXIT.ok : EXIT.failed;
}
