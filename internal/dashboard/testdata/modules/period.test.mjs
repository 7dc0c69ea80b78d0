// Run with TZ=Europe/Berlin.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fromField, resolvePeriod, toField } from '../../web/period.js';

const at = (period, now, utc) => resolvePeriod({ period, from: '', to: '' }, new Date(now), utc);

test('days and months begin at midnight of the zone that is shown', () => {
  const now = '2026-11-03T23:30:00Z'; // the 4th in Berlin
  assert.deepEqual(at('today', now, true), { from: '2026-11-03T00:00:00Z', to: '' });
  assert.deepEqual(at('today', now, false), { from: '2026-11-03T23:00:00Z', to: '' });
  assert.deepEqual(at('yesterday', now, true), { from: '2026-11-02T00:00:00Z', to: '2026-11-03T00:00:00Z' });
  assert.deepEqual(at('7d', now, true), { from: '2026-10-28T00:00:00Z', to: '' });
  assert.deepEqual(at('30d', now, true), { from: '2026-10-05T00:00:00Z', to: '' });
  assert.deepEqual(at('month', now, true), { from: '2026-11-01T00:00:00Z', to: '' });
  assert.deepEqual(at('last_month', now, true), { from: '2026-10-01T00:00:00Z', to: '2026-11-01T00:00:00Z' });
  assert.deepEqual(at('', now, true), { from: '', to: '' });
});

test('a day in which the clocks change is still a day', () => {
  assert.deepEqual(at('yesterday', '2026-10-26T12:00:00Z', false), { from: '2026-10-24T22:00:00Z', to: '2026-10-25T23:00:00Z' }); // 25 hours
});

test('last month of January and of a 31st', () => {
  assert.deepEqual(at('last_month', '2026-01-15T00:00:00Z', true), { from: '2025-12-01T00:00:00Z', to: '2026-01-01T00:00:00Z' });
  assert.deepEqual(at('last_month', '2026-03-31T12:00:00Z', true), { from: '2026-02-01T00:00:00Z', to: '2026-03-01T00:00:00Z' });
});

test('a field means the zone that is shown', () => {
  assert.equal(toField('2026-07-01T10:00:00Z', false), '2026-07-01T12:00');
  assert.equal(toField('2026-07-01T10:00:00Z', true), '2026-07-01T10:00');
  assert.equal(toField('', true), '');
  assert.equal(fromField('2026-07-01T12:00', false), '2026-07-01T10:00:00Z');
  assert.equal(fromField('2026-07-01T12:00', true), '2026-07-01T12:00:00Z');
  assert.equal(fromField('', true), '');
  assert.equal(fromField('12026-99-99T12:00', true), '');
});
