// The filters of a log. They change the route and nothing else; the log follows
// the route.

import { freshId, h, icon } from './dom.js';
import { zoneName } from './format.js';
import { fromField, presets, toField } from './period.js';
import { picker } from './picker.js';
import { noFilters } from './route.js';
import { channelName, countries, countryName, statusWord, usualChannels, usualStatuses } from './vocabulary.js';

// change(filters, replace) is called with the new filters; seen(field) gives the values of a
// field among the records that are loaded, so that a platform's own words can be chosen too.
export function filterBar({ product, change, seen }) {
  let filters = { ...noFilters };
  let utc = false;
  const set = (part, replace = false) => change({ ...filters, ...part }, replace);

  const select = (label, options, part) => {
    const id = freshId('filter');
    const input = h('select', { id, class: 'control', change: () => set(part(input.value)) }, options.map(({ value, text }) => h('option', { value }, text)));
    return { input, element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), h('div', { class: 'select' }, input, icon('down'))) };
  };

  const period = select('Period', presets, (value) => (value === 'custom' ? { period: 'custom' } : { period: value, from: '', to: '' }));
  const direction = select('Direction', [{ value: '', text: 'Any' }, { value: 'outbound', text: 'Outbound' }, { value: 'inbound', text: 'Inbound' }], (value) => ({ direction: value }));

  const known = (usual, field, name) => (chosen) => [...new Set([...usual, ...seen(field), ...chosen])].map((value) => ({ value, text: name(value) }));
  const statusName = (status) => statusWord(status).label;
  const pick = (label, key, options) => picker({ label, options, change: (values, first) => set({ [key]: values }, !first) });
  const status = pick('Status', 'status', known(usualStatuses(product), 'status', statusName));
  const channel = product === 'messaging' && pick('Channel', 'channel', known(usualChannels, 'channel', channelName));
  const country = pick('Country', 'country', () => countries());

  const lastFour = (label, key) => {
    const id = freshId('filter');
    const input = h('input', {
      id, class: 'control digits', type: 'text', inputmode: 'numeric', maxlength: '4', autocomplete: 'off', placeholder: '4 digits', 'aria-describedby': 'last-four-hint',
      input: () => {
        input.value = input.value.replace(/[^0-9]/g, '');
        if (input.value.length !== 0 && input.value.length !== 4) return;
        if (input.value !== (filters[key] ?? '')) set({ [key]: input.value });
      },
      blur: () => { if (input.value.length !== 4) input.value = filters[key] ?? ''; },
    });
    return { input, element: h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), input) };
  };
  const from = lastFour('From ends in', 'fromLast4');
  const to = lastFour('To ends in', 'toLast4');

  const end = (label, key) => {
    const id = freshId('filter');
    const input = h('input', { id, class: 'control', type: 'datetime-local', step: '60', change: custom });
    const text = h('label', { class: 'field-label', for: id }, label);
    return { key, input, text, label, element: h('div', { class: 'field field-moment' }, text, input) };
  };
  const start = end('From', 'from');
  const until = end('Until, not included', 'to');
  const fault = h('p', { class: 'field-fault', id: freshId('fault'), role: 'alert' });
  const ends = h('div', { class: 'period-ends' }, start.element, until.element);
  until.input.setAttribute('aria-describedby', fault.id);

  function custom() {
    const part = { period: 'custom', from: fromField(start.input.value, utc), to: fromField(until.input.value, utc) };
    if (!tellReversed(part)) set(part);
  }

  function tellReversed({ from: begin, to: stop }) {
    const reversed = Boolean(begin && stop && begin >= stop);
    fault.textContent = reversed ? 'The period must end after it begins.' : '';
    until.input.setAttribute('aria-invalid', String(reversed));
    return reversed;
  }

  const clear = h('button', { type: 'button', class: 'button quiet-button', click: () => { period.input.focus(); change({ ...noFilters, order: filters.order }, false); } }, 'Clear filters');
  const fields = h('div', { class: 'filter-fields', id: freshId('filters') },
    period.element, ends, direction.element, status.element, channel && channel.element, country.element, from.element, to.element, clear);
  const fold = h('button', { type: 'button', class: 'button filter-fold', 'aria-expanded': 'false', 'aria-controls': fields.id, click: () => {
    const open = element.classList.toggle('open');
    fold.setAttribute('aria-expanded', String(open));
  } }, icon('filter'), h('span', null, 'Filters'), h('span', { class: 'badge', hidden: true }));
  const element = h('section', { class: 'filters', 'aria-label': 'Filters' }, fold, fields, fault,
    h('p', { class: 'hint last-four-hint', id: 'last-four-hint' }, 'Digits of a number stay out of the address: a shared link or a reload does not keep them.'));

  return {
    element,
    // Shows the filters of a route.
    set(next, inUtc) {
      filters = { ...noFilters, ...next };
      utc = inUtc;
      period.input.value = filters.period;
      direction.input.value = filters.direction;
      status.set(filters.status, statusName);
      if (channel) channel.set(filters.channel, channelName);
      country.set(filters.country, countryName);
      for (const [input, key] of [[from.input, 'fromLast4'], [to.input, 'toLast4']]) if (document.activeElement !== input) input.value = filters[key] ?? '';
      ends.hidden = filters.period !== 'custom';
      for (const { key, input, text, label } of [start, until]) {
        input.value = toField(filters[key], utc);
        text.textContent = `${label} (${utc || filters[key] ? zoneName(utc, filters[key]) : 'local'})`;
      }
      tellReversed(filters);
      const active = activeFilters(filters);
      clear.hidden = active === 0;
      fold.querySelector('.badge').hidden = active === 0;
      fold.querySelector('.badge').textContent = String(active);
      for (const [one, on] of [[period, filters.period], [direction, filters.direction], [from, filters.fromLast4], [to, filters.toLast4]]) one.element.classList.toggle('set', Boolean(on));
      element.classList.toggle('digits-used', Boolean(filters.fromLast4 || filters.toLast4));
    },
  };
}

// How many filters narrow the log; the order is none.
export function activeFilters(filters) {
  return [filters.period, filters.direction, filters.status.length, filters.channel.length, filters.country.length, filters.fromLast4, filters.toLast4].filter(Boolean).length;
}
