import { expect, test } from '@jest/globals';
import { isTyped, shownNameOf } from '../../../shared/tenants/shown-name.ts';

test.each([
  { name: 'Contoso Ltd', typed: ' contoso  LTD ', is: true },
  { name: 'Zoë \u202e abc', typed: 'zoë abc', is: true },
  { name: 'Zoë abc', typed: 'Zoë \u200babc', is: true },
  { name: 'Ｃontoso', typed: 'Contoso', is: true },
  { name: 'Contoso', typed: 'Contoso 2', is: false },
  { name: 'شركة', typed: '\u200fشركة', is: true },
])('“$name” is meant by “$typed”: $is', ({ name, typed, is }) => {
  expect(isTyped(name, typed)).toBe(is);
});

test('nothing unseen is left, and no half character', () => {
  expect(shownNameOf('\u2066A\u202e\u200f\u00adB\ufeff \t C\ud83d')).toBe('AB C\ufffd');
});
