// A customer's remaining credit, to see and to hear: the amount, and in words
// and pictures, not by colour, what is special about it.

import { h, icon, unknown } from './dom.js';
import { creditState, dateText, moneyParts } from './format.js';
import { inUTC } from './zone.js';

// An amount whose decimals stand below each other in a column: what follows the
// point has a box of its own.
export function amount(text, currency) {
  const parts = moneyParts(text, currency);
  return h('span', { class: 'amount' }, parts.map(({ type, value }) => (type === 'fraction' ? h('span', { class: 'fraction' }, value) : value)));
}

export function tag(text, picture, tone = '') {
  return h('span', { class: `tag ${tone}`.trim() }, picture && icon(picture), text);
}

export function creditTags(state) {
  return [
    state.level === 'overdrawn' && tag('Overdrawn', 'warning', 'tag-warn'),
    state.level === 'exhausted' && tag('Exhausted', 'cross', 'tag-bad'),
    state.level === 'low' && tag('Low', 'warning', 'tag-warn'),
    state.postpaid && tag('Postpaid', null),
  ];
}

// isLow: that the API counts it among the low ones.
export function creditCell(credit, isLow = false) {
  const state = creditState(credit, Date.now(), isLow);
  return h('div', { class: 'credit' },
    h('div', { class: 'credit-line' },
      creditTags(state),
      state.known ? amount(credit.amount, credit.currency) : h('span', { class: 'quiet' }, 'not available')),
    state.old && h('div', { class: 'credit-note' }, icon('clock'), h('span', null, 'as of ', h('time', { datetime: credit.asOf, title: credit.asOf }, dateText(credit.asOf, inUTC())))));
}

// What was charged in the running month; null is not counted yet.
export function spendCell(spend) {
  return spend ? amount(spend.amount, spend.currency) : unknown('not counted yet');
}
