import { expect, test } from '@jest/globals';
import {
  keptPermissions,
  optionalPermissions,
  permissionFacts,
} from '../../../shared/tenants/permission-facts.ts';
import { missingPermissions, requiredPermissions } from '../../../shared/tenants/permissions.ts';

const required = requiredPermissions.map(({ name }) => name);
const optional = optionalPermissions.map(({ name }) => name);
const namesOf = (all: { name: string }[]) => all.map(({ name }) => name);

test.each([
  { what: 'nothing', roles: [], granted: [], missing: required, without: optional, excess: [] },
  {
    what: 'what is required',
    roles: required,
    granted: required,
    missing: [],
    without: optional,
    excess: [],
  },
  {
    what: 'everything that is asked for',
    roles: [...optional, ...required],
    granted: [...required, ...optional],
    missing: [],
    without: [],
    excess: [],
  },
  {
    what: 'more than that',
    roles: [...required, 'Files.Read.All', 'Mail.ReadWrite', 'Sites.FullControl.All'],
    granted: required,
    missing: [],
    without: optional,
    // What could change something comes first.
    excess: ['Mail.ReadWrite', 'Sites.FullControl.All', 'Files.Read.All'],
  },
  {
    what: 'a wider one beside the narrow one',
    roles: [...required, 'SecurityEvents.ReadWrite.All'],
    granted: required,
    missing: [],
    without: optional,
    excess: ['SecurityEvents.ReadWrite.All'],
  },
])('$what', ({ roles, granted, missing, without, excess }) => {
  const facts = permissionFacts(roles);
  expect(namesOf(facts.granted)).toEqual(granted);
  expect(namesOf(facts.missing)).toEqual(missing);
  expect(namesOf(facts.missing)).toEqual(missingPermissions(roles));
  expect(namesOf(facts.optional)).toEqual(without);
  expect(facts.excess).toEqual(excess);
});

test('a wide one that serves several ends is named once, with all of them, and is no excess', () => {
  const facts = permissionFacts(['Directory.Read.All', 'SecurityEvents.Read.All']);
  const wide = facts.granted.find(({ name }) => name === 'Directory.Read.All');
  expect(wide?.why).toMatch(/domains[\s\S]*licences[\s\S]*guests/);
  expect(facts.excess).toEqual([]);
  expect(facts.missing).toEqual([]);
});

test('what is kept is bounded', () => {
  const many = Array.from({ length: 500 }, (_, n) => `A.Read.${n}`);
  expect(keptPermissions(many, '2026-11-21T20:00:00.000Z').roles).toHaveLength(100);
  expect(permissionFacts(many).excess).toHaveLength(100);
});
