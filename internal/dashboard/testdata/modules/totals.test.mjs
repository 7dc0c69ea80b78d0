import assert from 'node:assert/strict';
import test from 'node:test';
import { arrival, change, chargedIn, lasts, sameDays, share, sumUp, within } from '../../web/totals.js';

const row = (key, records, charged = [], unrated = 0) => ({ key, records, unrated, charged: charged.map(([currency, amount]) => ({ currency, amount, records: 1 })) });

test('sums are exact, and each currency has its own', () => {
  const sum = sumUp([row({}, 2, [['EUR', '0.1'], ['USD', '5']]), row({}, 3, [['EUR', '0.2']], 1), row({}, 1, [['EUR', '12345678901234567890.000001']])]);
  assert.equal(sum.records, 6);
  assert.equal(sum.unrated, 1);
  assert.deepEqual(sum.charged.map((c) => [c.currency, c.amount, c.records]), [['EUR', '12345678901234567890.300001', 3], ['USD', '5', 1]]);
  assert.equal(chargedIn(sum, 'GBP'), '0');
});

test('a span has its first day and not the one it ends with', () => {
  const rows = ['2026-10-31', '2026-11-01', '2026-11-30', '2026-12-01'].map((day) => row({ day }, 1));
  assert.deepEqual(within(rows, { from: '2026-11-01', to: '2026-12-01' }).map((r) => r.key.day), ['2026-11-01', '2026-11-30']);
  assert.equal(within([row({ month: '2026-10' }, 1), row({ month: '2026-11' }, 1)], { from: '2026-11-01', to: '2026-11-30' }).length, 1);
});

test('a change is a part of what was before, and of nothing there is none', () => {
  assert.equal(change('112.3', '100'), '0.123');
  assert.equal(change('0', '3'), '-1');
  assert.equal(change('2', '3'), '-0.333');
  assert.equal(change('1', '0'), null);
  assert.equal(share(2, 3), '0.667');
  assert.equal(share(0, 0), null);
});

test('the same days of two months are those that are over and loaded', () => {
  const days = (today, through) => sameDays(today, through)?.map(({ from, to }) => `${from} ${to}`);
  assert.deepEqual(days('2026-11-29', '2026-11-29'), ['2026-11-01 2026-11-29', '2026-10-01 2026-10-29']);
  assert.deepEqual(days('2026-11-29', '2026-11-27'), ['2026-11-01 2026-11-28', '2026-10-01 2026-10-28']);
  assert.deepEqual(days('2026-11-29', null), ['2026-11-01 2026-11-29', '2026-10-01 2026-10-29']);
  assert.deepEqual(days('2026-03-31', null), ['2026-03-01 2026-03-29', '2026-02-01 2026-03-01']); // as many as February has
  assert.equal(days('2026-11-01', '2026-11-01'), undefined);
  assert.equal(days('2026-11-20', '2026-10-27'), undefined); // nothing of this month is loaded
});

test('of messages those count that went out, of calls all', () => {
  const rows = [
    row({ product: 'sms', direction: 'outbound', status: 'delivered' }, 6), row({ product: 'sms', direction: 'outbound', status: 'undelivered' }, 2),
    row({ product: 'messaging', direction: 'outbound', status: 'read' }, 1), row({ product: 'sms', direction: 'inbound', status: 'received' }, 50),
    row({ product: 'voice', direction: 'inbound', status: 'completed' }, 3), row({ product: 'voice', direction: null, status: null }, 1),
  ];
  assert.deepEqual(arrival(rows, ['sms', 'voice', 'messaging']), { texts: true, all: 9, good: 7 });
  assert.deepEqual(arrival(rows, ['voice', 'video']), { texts: false, all: 4, good: 3 });
});

test('how long a credit lasts is told in whole days', () => {
  assert.equal(lasts('100', '14'), 100n);
  assert.equal(lasts('0.1', '0.15'), 9n); // 9.33 days
  assert.equal(lasts('100', '0'), null);
  assert.equal(lasts('0', '14'), 0n);
  assert.equal(lasts('-3', '14'), 0n);
});
