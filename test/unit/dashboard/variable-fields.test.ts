import { describe, expect, test } from '@jest/globals';
import { editedVariables, variableFields } from '../../../src/dashboard/prompt/variable-fields.ts';

const VERSION = {
  input_schema: {
    properties: {
      goal: { type: 'string', description: 'What for' },
      seen: { type: 'array' },
      profile: { type: 'object' },
    },
    required: ['goal'],
  },
  input_defaults: { goal: 'habits', seen: [] },
};

describe('the fields of a version', () => {
  test('hold its defaults', () => {
    expect(variableFields(VERSION)).toEqual([
      { name: 'goal', kind: 'text', description: 'What for', isRequired: true, initialText: 'habits' },
      { name: 'seen', kind: 'json', description: null, isRequired: false, initialText: '[]' },
      { name: 'profile', kind: 'json', description: null, isRequired: false, initialText: '{}' },
    ]);
  });

  test('are none without a schema', () => {
    expect(variableFields({ input_schema: null, input_defaults: {} })).toEqual([]);
  });

  test('become variables, and the profile its own part', () => {
    const edited = editedVariables(variableFields(VERSION), { goal: '"read"', profile: '{"rate":0.5}' });

    expect(edited).toEqual({
      variables: { goal: '"read"', seen: [] },
      profileFeatures: { rate: 0.5 },
      faults: {},
    });
  });

  test('leave an emptied variable to its default', () => {
    expect(editedVariables(variableFields(VERSION), { goal: ' ' }).variables).toEqual({ seen: [] });
  });

  test('name the field whose text is no JSON', () => {
    expect(editedVariables(variableFields(VERSION), { seen: '[' }).faults).toEqual({
      seen: 'This is not valid JSON.',
    });
  });
});
