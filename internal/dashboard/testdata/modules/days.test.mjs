import assert from 'node:assert/strict';
import test from 'node:test';
import { addDays, beginningOf, dayOf, daysIn, firstOfMonth, knownZone, spans } from '../../web/days.js';

test('days go on over the ends of months and years', () => {
  assert.equal(addDays('2026-12-31', 1), '2027-01-01');
  assert.equal(addDays('2028-03-01', -1), '2028-02-29');
  assert.equal(firstOfMonth('2026-01-31', -1), '2025-12-01');
  assert.equal(firstOfMonth('2026-01-31', 1), '2026-02-01');
  assert.equal(daysIn({ from: '2026-10-01', to: '2026-11-01' }), 31);
});

test('a day begins when it does where the customer is', () => {
  for (const [day, zone, want] of [
    ['2026-11-03', 'UTC', '2026-11-03T00:00:00Z'],
    ['2026-11-03', 'Europe/Berlin', '2026-11-02T23:00:00Z'],
    ['2026-07-03', 'Europe/Berlin', '2026-07-02T22:00:00Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00Z'], // the day after the clocks went back
    ['2026-11-03', 'Asia/Kathmandu', '2026-11-02T18:15:00Z'],
    ['2026-11-03', 'Pacific/Kiritimati', '2026-11-02T10:00:00Z'],
    ['2026-11-03', 'Pacific/Pago_Pago', '2026-11-03T11:00:00Z'],
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'], // without a midnight
  ]) {
    assert.equal(beginningOf(day, zone), want, `${day} in ${zone}`);
    assert.equal(dayOf(new Date(want), zone), day);
    assert.equal(dayOf(new Date(Date.parse(want) - 1), zone), addDays(day, -1));
  }
});

test('a zone that is not known is UTC', () => {
  assert.equal(knownZone('Mars/Olympus'), 'UTC');
  assert.equal(knownZone('Europe/Berlin'), 'Europe/Berlin');
});

test('spans end with today, and leave no day out', () => {
  assert.deepEqual(spans('day', 2, '2026-11-01').map((s) => s.key), ['2026-10-31', '2026-11-01']);
  assert.deepEqual(spans('month', 3, '2026-01-31'), [
    { key: '2025-11', from: '2025-11-01', to: '2025-12-01' }, { key: '2025-12', from: '2025-12-01', to: '2026-01-01' }, { key: '2026-01', from: '2026-01-01', to: '2026-02-01' },
  ]);
  const weeks = spans('week', 13, '2026-11-29');
  assert.equal(weeks.at(-1).to, '2026-11-30');
  weeks.forEach((week, i) => { assert.equal(daysIn(week), 7); if (i) assert.equal(weeks[i - 1].to, week.from); });
});
