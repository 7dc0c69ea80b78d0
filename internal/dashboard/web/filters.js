// The filters of a log, as a line of pills. They change the route and nothing else; the
// log follows the route.

import { freshId, h } from './dom.js';
import { periodPill } from './periodpill.js';
import { picker } from './picker.js';
import { pill, words } from './pill.js';
import { noFilters } from './route.js';
import { channelName, countries, countryName, directionWord, statusWord, usualChannels, usualStatuses } from './vocabulary.js';

const directions = ['outbound', 'inbound'].map((value) => ({ value, text: directionWord(value).label }));

// change(filters, replace) is called with the new filters; seen(field) gives the values of a
// field among the records that are loaded, so that a platform's own words can be chosen too.
export function filterBar({ product, change, seen }) {
  let filters = { ...noFilters };
  const set = (part, replace = false) => change({ ...filters, ...part }, replace);

  const period = periodPill({ change: (part) => set(part) });

  const direction = pill({
    label: 'Direction',
    clear: () => set({ direction: '' }),
    opened: (panel) => panel.replaceChildren(words([{ value: '', text: 'Any' }, ...directions], filters.direction, (value) => {
      direction.close();
      set({ direction: value });
    })),
  });

  const known = (usual, field, name) => (chosen) => [...new Set([...usual, ...seen(field), ...chosen])].map((value) => ({ value, text: name(value) }));
  const statusName = (status) => statusWord(status).label;
  const pick = (label, key, options) => picker({ label, options, change: (values, first) => set({ [key]: values }, !first) });
  const status = pick('Status', 'status', known(usualStatuses(product), 'status', statusName));
  const channel = product === 'messaging' && pick('Channel', 'channel', known(usualChannels, 'channel', channelName));
  const country = pick('Country', 'country', () => countries());

  const number = pill({
    label: 'Number',
    clear: () => set({ fromLast4: '', toLast4: '' }),
    opened: (panel) => panel.replaceChildren(h('div', { class: 'digit-fields' }, lastFour('From ends in', 'fromLast4'), lastFour('To ends in', 'toLast4')),
      h('p', { class: 'hint', id: 'last-four-hint' }, 'Digits of a number stay out of the address: a shared link or a reload does not keep them.')),
  });

  function lastFour(label, key) {
    const id = freshId('filter');
    const input = h('input', {
      id, class: 'control digits', type: 'text', inputmode: 'numeric', maxlength: '4', autocomplete: 'off', placeholder: '4 digits', value: filters[key] ?? '', 'aria-describedby': 'last-four-hint',
      input: () => {
        input.value = input.value.replace(/[^0-9]/g, '');
        if (input.value.length !== 0 && input.value.length !== 4) return;
        if (input.value !== (filters[key] ?? '')) set({ [key]: input.value });
      },
      keydown: (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault(); // it would press the button, which has the focus then
        number.close();
      },
      blur: () => { if (input.value.length !== 4) input.value = filters[key] ?? ''; },
    });
    return h('div', { class: 'field' }, h('label', { class: 'field-label', for: id }, label), input);
  }

  const clear = h('button', { type: 'button', class: 'button quiet-button', click: () => { period.focus(); change({ ...noFilters, order: filters.order }, false); } }, 'Clear filters');
  const element = h('section', { class: 'filters', 'aria-label': 'Filters' },
    [period, direction, status, channel, country, number].filter(Boolean).map((one) => one.element), clear);

  return {
    element,
    // Shows the filters of a route.
    set(next, utc) {
      filters = { ...noFilters, ...next };
      period.set(filters, utc);
      direction.set(directionWord(filters.direction)?.label ?? '');
      status.set(filters.status, statusName);
      if (channel) channel.set(filters.channel, channelName);
      country.set(filters.country, countryName);
      number.set([['from', filters.fromLast4], ['to', filters.toLast4]].filter(([, digits]) => digits).map(([way, digits]) => `${way} …${digits}`).join(', '));
      clear.hidden = activeFilters(filters) === 0;
    },
  };
}

// How many filters narrow the log; the order is none.
export function activeFilters(filters) {
  return [filters.period, filters.direction, filters.status.length, filters.channel.length, filters.country.length, filters.fromLast4, filters.toLast4].filter(Boolean).length;
}
