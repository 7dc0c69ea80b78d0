// The period of a log as a pill: quick dates, a calendar, and the ends to the minute.
// Both ends that a person reads and enters are included; the filters' own end is not.

import { addDays, calendar } from './calendar.js';
import { freshId, h } from './dom.js';
import { zoneName } from './format.js';
import { brief, fromField, presets, rangeText, toField } from './period.js';
import { pill, words } from './pill.js';

const minute = 60_000;

// change(part) is called with {period, from, to}.
export function periodPill({ change }) {
  let shown = { period: '', from: '', to: '' };
  let utc = false;

  const face = pill({ label: 'Period', opened, unset: 'All records', className: 'period', clear: () => choose({ period: '', from: '', to: '' }) });
  const days = calendar({ chosen: (first, last) => choose(ends(fromField(`${first}T00:00`, utc), fromField(`${addDays(last, 1)}T00:00`, utc))) });

  const end = (label) => {
    const id = freshId('period');
    const input = h('input', { id, class: 'control', type: 'datetime-local', step: '60', change: entered });
    const text = h('label', { class: 'field-label', for: id }, label);
    return { input, text, label, element: h('div', { class: 'field' }, text, input) };
  };
  const from = end('From');
  const to = end('To, included');
  const fault = h('p', { class: 'field-fault', id: freshId('fault'), role: 'alert' });
  to.input.setAttribute('aria-describedby', fault.id);
  const fields = h('div', { class: 'period-ends' }, from.element, to.element, fault);

  function opened(panel) {
    panel.replaceChildren(
      words(presets, shown.period, (period) => choose({ period, from: '', to: '' })),
      h('div', { class: 'period-days' }, days.element, fields));
    const field = [shown.from, lastMinute(shown.to)].map((iso) => toField(iso, utc));
    [from.input.value, to.input.value] = field;
    [from, to].forEach(({ text, label }, i) => { text.textContent = `${label} (${zoneName(utc, [shown.from, shown.to][i] || brief(new Date()))})`; });
    tellReversed(shown);
    days.show(field[0].slice(0, 10), field[1].slice(0, 10), toField(brief(new Date()), utc).slice(0, 10));
  }

  function choose(part) {
    face.close();
    change(part);
  }

  function entered() {
    const until = fromField(to.input.value, utc);
    const part = ends(fromField(from.input.value, utc), until && brief(new Date(Date.parse(until) + minute)));
    if (!tellReversed(part)) change(part);
  }

  function tellReversed(part) {
    const reversed = Boolean(part.from && part.to && part.from >= part.to);
    fault.textContent = reversed ? 'The period must end after it begins.' : '';
    to.input.setAttribute('aria-invalid', String(reversed));
    return reversed;
  }

  return {
    element: face.element,
    focus: face.focus,
    set(filters, inUTC) {
      shown = { period: filters.period, from: filters.from, to: filters.to };
      utc = inUTC;
      face.set(shown.period === 'custom' ? rangeText(shown, utc) : shown.period && presets.find(({ value }) => value === shown.period).text);
    },
  };
}

function ends(from, to) {
  return { period: from || to ? 'custom' : '', from, to };
}

function lastMinute(to) {
  return to && brief(new Date(Date.parse(to) - minute));
}
