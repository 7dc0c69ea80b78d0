// Run with LC_ALL=en_GB.
import assert from 'node:assert/strict';
import test from 'node:test';
import { creditState, customersSeen, duration, durationWords, fullTime, money } from '../../web/format.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const credit = (amount, rest = {}) => ({ amount, currency: 'EUR', billingMode: 'prepaid', creditLimit: null, asOf: '2026-11-20T00:00:00.000Z', ...rest });

test('an amount keeps every digit that the API sent', () => {
  for (const [amount, currency, want] of [
    ['0.081', 'EUR', '€0.081'], ['1520.73', 'EUR', '€1,520.73'], ['5', 'EUR', '€5.00'], ['0', 'GBP', '£0.00'],
    ['12345678901234567890.123456789', 'EUR', '€12,345,678,901,234,567,890.123456789'],
    ['482000', 'JPY', 'JP¥482,000'], ['8.5', 'JPY', 'JP¥8.5'], ['-0.4275', 'USD', '-US$0.4275'], ['1.5', 'KWD', 'KWD 1.500'], ['1', 'XQQ', 'XQQ 1.00'],
  ]) assert.equal(money(amount, currency).replaceAll('\u00a0', ' '), want);
});

test('a currency that is none does not stop the page', () => {
  assert.equal(money('1.5', '<b>'), '1.5 <b>');
});

test('credit is exhausted, low or overdrawn', () => {
  for (const [given, isLow, level] of [
    [credit('1520.73'), false, 'fine'], [credit('0.01'), false, 'fine'], [credit('0.01'), true, 'low'],
    [credit('0'), true, 'exhausted'], [credit('-3'), false, 'exhausted'], [credit('-900', { billingMode: 'postpaid' }), false, 'exhausted'],
    [credit('-3', { creditLimit: '100' }), false, 'overdrawn'], [credit('-3', { creditLimit: '100' }), true, 'low'],
    [credit('-100', { creditLimit: '100' }), false, 'exhausted'], [credit('0', { creditLimit: '10' }), false, 'fine'],
    [credit(null), false, 'fine'],
  ]) assert.equal(creditState(given, now, isLow).level, level, JSON.stringify(given));
});

test('credit that is older than a day is said to be', () => {
  assert.equal(creditState(credit('1', { asOf: '2026-11-19T12:00:00.000Z' }), now).old, false);
  assert.equal(creditState(credit('1', { asOf: '2026-11-19T11:59:59.999Z' }), now).old, true);
  assert.equal(creditState(credit('1', { asOf: null }), now).old, false);
});

test('unknown credit is not known', () => {
  assert.equal(creditState(credit(null), now).known, false);
  assert.equal(creditState(credit('0'), now).known, true);
});

test('times name their zone', () => {
  assert.equal(fullTime('2026-11-03T10:00:00.120Z', true), '3 Nov 2026, 10:00:00 UTC');
  assert.equal(fullTime('2026-11-03T10:00:00.120Z', false), '3 Nov 2026, 11:00:00 CET');
  assert.equal(fullTime('2026-07-03T10:00:00.120Z', false), '3 Jul 2026, 12:00:00 CEST');
});

test('durations read as on a clock', () => {
  assert.deepEqual([0, 42, 60, 3599, 3725].map(duration), ['0:00', '0:42', '1:00', '59:59', '1:02:05']);
  assert.deepEqual([0, 1, 60, 3725].map(durationWords), ['0 seconds', '1 second', '1 minute', '1 hour 2 minutes 5 seconds']);
});

test('how many customers somebody sees is told as far as it is known', () => {
  for (const [customers, partnerCustomers, want] of [
    [12, 214, '12 of 214 customers'], [0, 30, '0 of 30 customers'], [1, 1, '1 of 1 customer'],
    [12, null, '12 of more than 1,000 customers'], [null, null, 'Some of more than 1,000 customers'], [999, 1000, '999 of 1,000 customers'],
  ]) assert.equal(customersSeen({ customers, partnerCustomers }), want);
});
