import assert from 'node:assert/strict';
import test from 'node:test';
import { paceText } from '../../web/creditcard.js';
import { shortMoney } from '../../web/format.js';
import { isPendingIn } from '../../web/totals.js';
import { pendingText } from '../../web/trend.js';

const credit = (amount, more = {}) => ({ amount, currency: 'EUR', billingMode: 'prepaid', creditLimit: null, asOf: '2026-11-29T08:00:00Z', ...more });
const use = (perDay, more = {}) => ({
  rows: Array.from({ length: 14 }, (_, i) => ({ key: { day: `2026-11-${15 + i}`, product: 'sms' }, records: 1, unrated: 0, charged: [{ currency: 'EUR', amount: perDay, records: 1 }, { currency: 'USD', amount: '1000', records: 1 }] })),
  from: '2026-10-01', complete: true, through: '2026-11-29', today: '2026-11-29', zone: 'UTC', ...more,
});

test('a credit’s end is told from the last fourteen days that are over and loaded, in its own currency', () => {
  assert.match(paceText(credit('10.5'), use('1')).text, /14 days to 28 Nov, it runs out around Wed,? 9 Dec 2026\.$/);
  assert.match(paceText(credit('5', { creditLimit: '5.5' }), use('1')).text, /9 Dec 2026, the limit included\.$/);
  assert.match(paceText(credit('10.5', { asOf: '2026-11-10T08:00:00Z' }), use('1')).text, /would have run out around Fri,? 20 Nov 2026/);
  assert.match(paceText(credit('10.5'), use('1', { complete: false })).text, /being counted again, which may change it\.$/);
  assert.match(paceText(credit('10.5'), use('1', { through: '2026-11-21' })).text, /14 days to 21 Nov/);
  assert.match(paceText(credit('10.5'), use('0.0001')).text, /more than two years/);
  assert.match(paceText(credit('10.5'), use('0')).text, /^Nothing was spent/);
  assert.match(paceText(credit('0'), use('1')).text, /^Nothing is left/);
  assert.match(paceText(credit('10.5'), use('1', { through: null })).text, /cannot be told/);
  assert.match(paceText(credit('10.5'), use('1', { through: '2026-10-05' })).text, /cannot be told/);
});

test('an end within a week is marked', () => {
  assert.equal(paceText(credit('7.5'), use('1')).soon, true);
  assert.equal(paceText(credit('8'), use('1')).soon, false);
});

test('a headline has the usual decimals, and all of them where these would show nothing', () => {
  assert.equal(shortMoney('1234.5678', 'EUR'), '€1,234.57');
  assert.equal(shortMoney('0.0042', 'EUR'), '€0.0042');
  assert.equal(shortMoney('-0.0042', 'EUR'), '-€0.0042');
  assert.equal(shortMoney('0', 'EUR'), '€0.00');
  assert.equal(shortMoney('12345678901234567890.125', 'EUR'), '€12,345,678,901,234,567,890.13');
});

test('it is said what figures may still become', () => {
  const found = (days, more = {}) => ({ complete: false, isAllNamed: true, isCounted: true, pending: new Set(days.map((day) => `acme sms ${day}`)), ...more });
  assert.equal(pendingText({ ...found([]), complete: true }), '');
  assert.match(pendingText(found(['2026-11-03'])), /^1 day is being counted again/);
  assert.match(pendingText(found(['2026-11-03', '2026-11-04'])), /^2 days are/);
  assert.match(pendingText(found(['2026-11-03'], { isAllNamed: false })), /^Many days are/);
  assert.match(pendingText(found([], { isCounted: false })), /not counted yet, so these figures are too low/);
});

test('a day that is being counted lies in its span, the end not included', () => {
  const found = { pending: new Set(['acme sms 2026-11-03']) };
  assert.equal(isPendingIn(found, { from: '2026-11-03', to: '2026-11-04' }), true);
  assert.equal(isPendingIn(found, { from: '2026-11-01', to: '2026-11-03' }), false);
  assert.equal(isPendingIn({ pending: new Set() }, { from: '2026-11-01', to: '2026-12-01' }), false);
});
