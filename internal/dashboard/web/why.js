// Says in words why a record costs what it costs: the sum first, then what went
// into it. Every outcome that the API knows has its words, and one that it does
// not know yet is told as it came.

import { isExactly, isZero } from './decimal.js';
import { count, counted, fullTime, money } from './format.js';
import { channelName, countryName, plain, productWord, statusWord } from './vocabulary.js';

const roundings = new Map([['half-up', 'half up'], ['half-even', 'half to even'], ['up', 'up, away from zero']]);

// {sum, facts}: the sum in one line, "" where there is none, and sentences.
export function explain(record) {
  const { price } = record;
  switch (price.status) {
    case 'rated': return price.explanation ? rated(record, price.explanation) : { sum: '', facts: ['The price was worked out from the price list.'] };
    case 'free': return { sum: '', facts: [free(record)] };
    case 'recorded': return { sum: '', facts: [`This is the price that the platform put on the record. ${missing(record)}`] };
    case 'unrated': return { sum: '', facts: [`The price is not known yet, which is not the same as free. ${missing(record)} The platform put no price on the record either.`] };
    default: return { sum: '', facts: [`The price is given as “${plain(price.status)}”.`] };
  }
}

function rated(record, why) {
  const { price } = record;
  const cash = (amount) => money(amount, price.currency);
  const timed = why.billableSeconds !== null;
  const unit = timed
    ? `${cash(why.unitPrice)} per ${why.unit} × ${count(why.billableSeconds)} s ÷ 60`
    : `${counted(why.quantity, why.unit)} × ${cash(why.unitPrice)}`;
  const setup = isZero(why.setupFee) ? '' : `${cash(why.setupFee)} set-up fee + `;
  const facts = [];
  if (timed) facts.push(increments(record, why));
  if (!isZero(why.setupFee)) facts.push(`The set-up fee is charged once per ${productWord(record.product).one}.`);
  facts.push(rate(why.rate));
  facts.push(`The price list has been in force since ${fullTime(why.effectiveFrom, true)}.`);
  const exact = isExactly(price.amount, why.setupFee, why.unitPrice, timed ? why.billableSeconds : why.quantity, timed ? 60 : 1);
  facts.push(exact
    ? `Nothing had to be rounded; the list rounds to ${counted(why.rounding.scale, 'decimal')}.`
    : `Rounded once, at the end, to ${counted(why.rounding.scale, 'decimal')}, ${roundings.get(why.rounding.mode) ?? why.rounding.mode}.`);
  return { sum: `${setup}${unit} ${exact ? '=' : '≈'} ${cash(price.amount)}`, facts };
}

function increments(record, why) {
  const step = why.increment;
  const lasted = record.product === 'video'
    ? `Its participants were there for ${counted(why.quantity, 'second')} together`
    : `It lasted ${counted(why.quantity, 'second')}`;
  if (!step) return `${lasted}; ${counted(why.billableSeconds, 'second')} are billed.`;
  if (step.first === 1 && step.next === 1) return `${lasted}, billed by the second.`;
  const rule = step.first === step.next
    ? `in steps of ${counted(step.first, 'second')}`
    : `as at least ${counted(step.first, 'second')}, then in steps of ${counted(step.next, 'second')}`;
  return `${lasted}. It is billed ${rule}: ${counted(why.billableSeconds, 'second')}.`;
}

const selectors = [
  ['direction', (v) => v],
  ['channel', (v) => channelName(v)],
  ['category', (v) => `category ${plain(v).toLowerCase()}`],
  ['country', (v) => `country ${countryName(v)}`],
  ['operator', (v) => `operator ${v}`],
];

function rate(named) {
  const told = selectors.filter(([key]) => named?.[key]).map(([key, words]) => words(named[key]));
  return told.length
    ? `The rate is the list’s most specific one for this record: ${told.join(', ')}.`
    : 'The rate is the list’s general one, for records that no more specific rate names.';
}

function free(record) {
  const { one } = productWord(record.product);
  if (record.price.reason === 'nothing_billable') return `Nothing is charged: there was nothing to bill in this ${one}.`;
  if (record.price.reason === 'status') {
    return `Nothing is charged: this customer’s price list does not charge for a ${one} whose status is ${record.status ? `“${statusWord(record.status).label}”` : 'unknown'}.`;
  }
  return 'Nothing is charged.';
}

function missing(record) {
  switch (record.price.reason) {
    case 'no_price_list': return 'No price list of this customer was in force at that time.';
    case 'no_rate': return 'The price list in force has no rate for this record.';
    case 'quantity_unknown': return `The record does not say ${record.product === 'sms' ? 'how many segments it had' : 'how long it lasted'}, so the price list could not be applied.`;
    default: return 'The price list could not be applied.';
  }
}
