import { expect, test } from '@jest/globals';
import {
  ageText,
  arrowed,
  dayText,
  decimal,
  listed,
  percentChange,
  percentText,
  pointsOf,
  sentence,
  signed,
} from '../../shared/words.ts';

test.each([
  { value: 3.14, decimal: '3.1', signed: '+3.1', arrowed: '▲ 3.1' },
  { value: -3.14, decimal: '−3.1', signed: '−3.1', arrowed: '▼ 3.1' },
  { value: 0, decimal: '0.0', signed: '0.0', arrowed: '0.0' },
  { value: -0.04, decimal: '0.0', signed: '0.0', arrowed: '0.0' },
  { value: 0.04, decimal: '0.0', signed: '0.0', arrowed: '0.0' },
  { value: 8, decimal: '8.0', signed: '+8.0', arrowed: '▲ 8.0' },
])('$value reads $decimal, $signed, $arrowed', ({ value, ...reads }) => {
  expect({ decimal: decimal(value), signed: signed(value), arrowed: arrowed(value) }).toEqual(reads);
});

test('percent has a thin space and what is not known is a dash', () => {
  expect(percentText(62.353)).toBe('62.4\u2009%');
  expect(percentText(null)).toBe('–');
  expect(pointsOf(318, 510)).toBe('318 of 510 points');
  expect(pointsOf(212.4, 331)).toBe('212.4 of 331 points');
});

test('a change of percent carries its unit', () => {
  expect([percentChange(-3.14), percentChange(4.8), percentChange(0.04)]).toEqual([
    '▼ 3.1 %-points',
    '▲ 4.8 %-points',
    'unchanged',
  ]);
});

const now = '2026-11-20T10:14:00.000Z';
test.each([
  { at: '2026-11-20T10:13:30.000Z', age: 'just now' },
  { at: '2026-11-20T10:20:00.000Z', age: 'just now' },
  { at: '2026-11-20T10:00:00.000Z', age: '14 min ago' },
  { at: '2026-11-20T09:14:00.000Z', age: '1 h ago' },
  { at: '2026-11-18T10:15:00.000Z', age: '47 h ago' },
  { at: '2026-11-18T10:14:00.000Z', age: '2 d ago' },
  { at: '2026-10-01T00:00:00.000Z', age: 'on 1 Oct' },
  { at: '2025-10-01T00:00:00.000Z', age: 'on 1 Oct 2025' },
  { at: 'nonsense', age: 'at an unknown time' },
])('$at is $age', ({ at, age }) => {
  expect(ageText(at, now)).toBe(age);
});

test('days, lists and sentences', () => {
  expect(dayText('2026-11-05', now)).toBe('5 Nov');
  expect(dayText('2025-12-31', now)).toBe('31 Dec 2025');
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
  expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  expect([sentence('it failed'), sentence('It failed.'), sentence(' ')]).toEqual([
    'It failed.',
    'It failed.',
    '',
  ]);
});
