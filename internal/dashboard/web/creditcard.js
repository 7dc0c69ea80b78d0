// A customer's credit as a figure of its overview, and around when it runs out.

import { creditTags } from './credit.js';
import { addDays, dayOf, dayText, shortDay } from './days.js';
import { addDecimals, isZero } from './decimal.js';
import { h, icon } from './dom.js';
import { figureValue } from './figures.js';
import { creditState, fullTime, money, shortMoney } from './format.js';
import { chargedIn, lasts, paceDays, sumUp, within } from './totals.js';
import { inUTC } from './zone.js';

// The credit as one of an overview's figures, with how long it lasts. use is {rows by day and
// product since from, complete, through: the day up to which usage was loaded, today, zone}; null
// while it is not known.
export function creditCard(credit, use) {
  const state = creditState(credit, Date.now());
  const lasting = state.known && !state.postpaid && use && paceText(credit, use);
  return h('section', { class: 'figure card-credit', 'aria-label': 'Remaining credit' },
    h('h2', { class: 'card-title' }, 'Remaining credit', creditTags(state)),
    state.known
      ? figureValue(shortMoney(credit.amount, credit.currency), money(credit.amount, credit.currency))
      : h('p', { class: 'figure-value' }, h('span', { class: 'quiet' }, 'Not available')),
    lasting && h('p', { class: `figure-note pace ${lasting.soon ? 'soon' : ''}`.trim() }, lasting.soon && [icon('warning'), ' '], lasting.text),
    h('p', { class: 'figure-note' }, credit.asOf ? `As of ${fullTime(credit.asOf, inUTC())}` : 'The time of this figure is not known.'));
}

// How long a credit lasts at the pace of the last days that are over and loaded: a text, and whether
// its end is within a week.
export function paceText(credit, { rows, from, complete, through, today, zone }) {
  const yesterday = addDays(today, -1);
  const last = through && through < yesterday ? through : yesterday;
  const days = { from: addDays(last, 1 - paceDays), to: addDays(last, 1) };
  if (!through || days.from < from) return { text: 'How long it lasts cannot be told: no usage was loaded lately.', soon: false };
  const spent = chargedIn(sumUp(within(rows, days)), credit.currency);
  const left = lasts(addDecimals(credit.amount, credit.creditLimit ?? '0'), spent);
  const doubt = complete ? '' : ' Some days are being counted again, which may change it.';
  const which = `the ${paceDays} days to ${shortDay(last)}`;
  if (left === 0n) return { text: 'Nothing is left to spend.', soon: true };
  if (left === null) return { text: `Nothing was spent in ${which}.${doubt}`, soon: false };
  if (left > 730n) return { text: `At the pace of ${which}, it lasts for more than two years.${doubt}`, soon: false };
  const end = addDays(dayOf(new Date(credit.asOf ?? Date.now()), zone), Number(left));
  return {
    text: `At the pace of ${which}, it ${end < today ? 'would have run out' : 'runs out'} around ${dayText(end)}${isZero(credit.creditLimit ?? '0') ? '' : ', the limit included'}.${doubt}`,
    soon: end <= addDays(today, 7),
  };
}
