import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import Handlebars from 'handlebars';
import { renderLines, versionOf } from './temporary-prompts.ts';

// Templates are parsed by Handlebars and run by our own walk over its tree. What the two share must agree: random
// templates over random data, rendered by both. Numbers never stand side by side: Handlebars adds those up.

const data = fc.record({
  a: fc.constantFrom('', 'A', 'two\nlines', '{{b}}'),
  n: fc.constantFrom(0, 1, 2.5),
  t: fc.boolean(),
  list: fc.array(
    fc.record({ v: fc.constantFrom('x', 'y\nz'), w: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }) }),
    {
      maxLength: 3,
    },
  ),
  map: fc.dictionary(fc.constantFrom('k1', 'k2'), fc.constantFrom('m1', 'm2')),
  user: fc.record({ name: fc.constantFrom('Ada', ''), n: fc.constantFrom(0, 7) }),
});

/** Pieces that mean something at the root, with the white space that standalone lines and `~` act upon. */
const leaf = fc.constantFrom(
  'text',
  '\n',
  '  ',
  '\n\n',
  '{{a}}',
  '{{~a~}}',
  '{{{a}}}',
  '{{user.name}}',
  '{{user.[name]}}',
  '{{@root.a}}',
  '{{this.a}}',
  'l={{list.length}}',
  't={{t}}',
  '{{! note }}',
  '{{!-- }} --}}',
  '\\{{a}}',
  '\\\\{{a}}',
  '{{> item}}',
  '  {{> lines}}\n',
  '{{> item user}}',
  '{{> item user name=a}}',
  '{{> item name="given"}}',
  '{{lookup map "k1"}}x'.replace(
    '{{lookup map "k1"}}',
    '{{#if (lookup map "k1")}}{{lookup map "k1"}}{{/if}}',
  ),
);

const block = fc.letrec<{ template: string; node: string }>((tie) => ({
  template: fc.array(tie('node'), { maxLength: 5 }).map((nodes) => nodes.join('')),
  node: fc.oneof(
    { weight: 6, arbitrary: leaf },
    tie('template').map((inner) => `{{#if a}}${inner}{{/if}}`),
    tie('template').map((inner) => `\n{{#if n}}\n${inner}\n{{else}}\nno\n{{/if}}\n`),
    tie('template').map((inner) => `{{#unless t}}${inner}{{else if user.n}}seven{{~else~}} none {{/unless}}`),
    tie('template').map((inner) => `{{^if t}}${inner}{{/if}}`),
    tie('template').map((inner) => `{{#if n includeZero=true}}${inner}{{/if}}`),
    fc.constantFrom(
      '{{#each list}}{{@index}}{{v}}{{../a}}{{@first}}{{#each w}}{{this}}{{@../index}}{{../v}}{{../../a}}{{/each}}{{else}}none{{/each}}',
      '\n{{#each list as |row i|}}\n  {{i}} {{row.v}}{{#each row.w as |c|}}{{c}}{{i}}{{row.v}}{{/each}}\n{{/each}}\n',
      '{{#each map}}{{@key}}{{this}}{{@index}}{{#unless @last}},{{/unless}}{{/each}}',
      '{{#with user}}{{name}}{{../a}}{{#with ../user}}{{name}}{{/with}}{{else}}nobody{{/with}}',
      '{{#with user as |u|}}{{u.name}}{{@root.a}}{{/with}}',
      '{{#each list}}{{> row extra=../a}}{{/each}}',
      '{{#each list}}\n  {{> lines2}}\n{{/each}}',
      '{{#each ../list}}{{/each}}'.replace('../', ''),
    ),
  ),
})).template;

const PARTIALS = {
  item: '[{{name}}]',
  lines: 'one {{a}}\ntwo\n',
  lines2: '{{v}}\n{{@index}}\n',
  row: '{{v}}{{extra}}{{@root.a}}{{@key}}{{#with this}}{{v}}{{/with}}',
};

test('renders as Handlebars does', async () => {
  const handlebars = Handlebars.create();
  for (const [name, text] of Object.entries(PARTIALS)) handlebars.registerPartial(name, text);
  const files = Object.fromEntries(
    Object.entries(PARTIALS).map(([name, text]) => [`p/_${name}.prompt`, text]),
  );
  // `{{name}}` at the root is undefined, which is an error here and nothing there.
  const given = { name: 'N' };

  await fc.assert(
    fc.asyncProperty(block, data, async (template, values) => {
      const text = `!${template}!`;
      const version = await versionOf(text, files);
      // Plain objects, as JSON brings them: Handlebars stumbles over those without a prototype.
      const variables = JSON.parse(JSON.stringify({ ...given, ...values }));

      expect(renderLines(version, variables)).toEqual([
        `user: ${handlebars.compile(text, { noEscape: true })(variables)}`,
      ]);
    }),
    { numRuns: 150 },
  );
});
