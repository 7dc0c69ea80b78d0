// Run with LC_ALL=en_GB.
import assert from 'node:assert/strict';
import test from 'node:test';
import { explain } from '../../web/why.js';

const why = (rest) => ({
  unitPrice: '0.081', unit: 'segment', quantity: 2, setupFee: '0', increment: null, billableSeconds: null,
  rate: { direction: 'outbound', country: 'GB' }, effectiveFrom: '2026-01-01T00:00:00.000Z', rounding: { scale: 6, mode: 'half-up' }, ...rest,
});
const record = (product, price, rest = {}) => ({ product, status: 'delivered', price: { status: 'rated', amount: '0.162', currency: 'EUR', reason: null, explanation: null, ...price }, ...rest });

test('an SMS: unit price × segments', () => {
  assert.deepEqual(explain(record('sms', { explanation: why() })), {
    sum: '2 segments × €0.081 = €0.162',
    facts: [
      'The rate is the list’s most specific one for this record: outbound, country United Kingdom.',
      'The price list has been in force since 1 Jan 2026, 00:00:00 UTC.',
      'Nothing had to be rounded; the list rounds to 6 decimals.',
    ],
  });
});

test('a call: set-up fee, increment, rounding', () => {
  const { sum, facts } = explain(record('voice', {
    amount: '0.0359', explanation: why({ unit: 'minute', unitPrice: '0.0265', setupFee: '0.005', quantity: 67, billableSeconds: 70, increment: { first: 30, next: 10 }, rounding: { scale: 4, mode: 'half-even' }, rate: {} }),
  }));
  assert.equal(sum, '€0.005 set-up fee + €0.0265 per minute × 70 s ÷ 60 ≈ €0.0359');
  assert.deepEqual(facts, [
    'It lasted 67 seconds. It is billed as at least 30 seconds, then in steps of 10 seconds: 70 seconds.',
    'The set-up fee is charged once per call.',
    'The rate is the list’s general one, for records that no more specific rate names.',
    'The price list has been in force since 1 Jan 2026, 00:00:00 UTC.',
    'Rounded once, at the end, to 4 decimals, half to even.',
  ]);
});

test('a video session: the time of its participants', () => {
  const { sum, facts } = explain(record('video', { amount: '0.039', explanation: why({ unit: 'participant-minute', unitPrice: '0.0039', quantity: 560, billableSeconds: 600, increment: { first: 60, next: 60 } }) }));
  assert.equal(sum, '€0.0039 per participant-minute × 600 s ÷ 60 = €0.039');
  assert.equal(facts[0], 'Its participants were there for 560 seconds together. It is billed in steps of 60 seconds: 600 seconds.');
});

test('by the second', () => {
  assert.equal(explain(record('voice', { explanation: why({ unit: 'minute', quantity: 1, billableSeconds: 1, increment: { first: 1, next: 1 } }) })).facts[0], 'It lasted 1 second, billed by the second.');
});

test('a message: its channel and category', () => {
  const { sum, facts } = explain(record('messaging', { amount: '0.1131', explanation: why({ unit: 'message', unitPrice: '0.1131', quantity: 1, rate: { channel: 'whatsapp', category: 'marketing' } }) }));
  assert.equal(sum, '1 message × €0.1131 = €0.1131');
  assert.match(facts[0], /WhatsApp, category marketing\.$/);
});

test('free, by status and for want of anything to bill', () => {
  assert.match(explain(record('sms', { status: 'free', amount: '0', reason: 'status' }, { status: 'no_answer' })).facts[0], /does not charge for a message whose status is “No answer”/);
  assert.match(explain(record('voice', { status: 'free', amount: '0', reason: 'nothing_billable' })).facts[0], /nothing to bill in this call/);
});

test('recorded: whose figure it is, and why no list priced it', () => {
  for (const [reason, words] of [['no_price_list', /No price list .* in force/], ['no_rate', /has no rate for this record/], ['quantity_unknown', /does not say how many segments/]]) {
    const { sum, facts } = explain(record('sms', { status: 'recorded', amount: '0.04', reason }));
    assert.equal(sum, '');
    assert.match(facts[0], /the platform put on the record/);
    assert.match(facts[0], words);
  }
});

test('unrated is not free', () => {
  assert.match(explain(record('voice', { status: 'unrated', amount: null, currency: null, reason: 'quantity_unknown' })).facts[0], /not the same as free.*how long it lasted.*no price on the record/);
});

test('an outcome that is not known yet is told as it came', () => {
  assert.equal(explain(record('sms', { status: 'constructor' })).facts[0], 'The price is given as “Constructor”.');
});
