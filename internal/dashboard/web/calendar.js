// A month of days, in which a first and a last one are chosen; both belong to the range. A day is
// "2026-11-03", of no zone.

import { freshId, h, icon } from './dom.js';

const names = (options) => new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', ...options });
const monthName = names({ month: 'long', year: 'numeric' });
const weekdayShort = names({ weekday: 'short' });
const weekdayLong = names({ weekday: 'long' });
const dayName = names({ dateStyle: 'full' });
const weekBegins = new Intl.Locale(dayName.resolvedOptions().locale).getWeekInfo?.().firstDay ?? 1; // 1: Monday

const dateOf = (day) => new Date(`${day}T00:00Z`);
const dayOf = (date) => date.toISOString().slice(0, 10);

// The day that is so many days later.
export function addDays(day, days) {
  const date = dateOf(day);
  date.setUTCDate(date.getUTCDate() + days);
  return dayOf(date);
}

// The same day of another month, or that month's last.
function addMonths(day, months) {
  const date = dateOf(`${day.slice(0, 7)}-01`);
  date.setUTCMonth(date.getUTCMonth() + months + 1, 0);
  const last = dayOf(date);
  return last.slice(8) < day.slice(8) ? last : last.slice(0, 8) + day.slice(8);
}

function inWeek(day) {
  return (dateOf(day).getUTCDay() - weekBegins + 7) % 7;
}

// chosen(first, last) is called when both are.
export function calendar({ chosen }) {
  let [first, last, today] = ['', '', ''];
  let begun = ''; // the first day, while the last one is not chosen yet
  let at = ''; // the day that the keyboard or the mouse is at

  const title = h('p', { class: 'month-name', id: freshId('month'), 'aria-live': 'polite' });
  const turn = (label, picture, months) => h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, click: () => goTo(addMonths(at, months)) }, icon(picture));
  const body = h('tbody', null);
  const hint = h('p', { class: 'hint', role: 'status' });
  const grid = h('table', { role: 'grid', 'aria-labelledby': title.id, keydown, click: pressed, pointerover: over },
    h('thead', null, h('tr', null, [4, 5, 6, 7, 8, 9, 10].map((n) => { // 5 January 1970 was a Monday
      const date = new Date(Date.UTC(1970, 0, n + weekBegins));
      return h('th', { scope: 'col', abbr: weekdayLong.format(date) }, weekdayShort.format(date));
    }))), body);
  const element = h('div', { class: 'calendar' },
    h('div', { class: 'month' }, turn('Previous month', 'before', -1), title, turn('Next month', 'next', 1)), grid, hint);

  function draw() {
    title.textContent = monthName.format(dateOf(at));
    const month = at.slice(0, 7);
    const start = addDays(`${month}-01`, -inWeek(`${month}-01`));
    body.replaceChildren(...[0, 1, 2, 3, 4, 5].map((week) => h('tr', null, [0, 1, 2, 3, 4, 5, 6].map((n) => {
      const day = addDays(start, week * 7 + n);
      return h('td', { role: 'gridcell' }, day.startsWith(month) && h('button', { type: 'button', class: day === today ? 'day today' : 'day', 'data-day': day, 'aria-label': dayName.format(dateOf(day)) }, String(Number(day.slice(8)))));
    }))));
    mark();
  }

  function mark() {
    const [a, b] = begun ? [begun, at].sort() : [first, last];
    for (const button of body.querySelectorAll('button')) {
      const { day } = button.dataset;
      const within = Boolean(a && b) && a <= day && day <= b;
      button.parentElement.setAttribute('aria-selected', String(within));
      button.classList.toggle('end', within && (day === a || day === b));
      button.tabIndex = day === at ? 0 : -1;
    }
    hint.textContent = begun ? 'Now choose the last day.' : 'Choose the first day, then the last; both are included.';
  }

  function goTo(day) {
    const same = day.slice(0, 7) === at.slice(0, 7);
    at = day;
    if (same) mark();
    else draw();
  }

  const steps = { ArrowLeft: (d) => addDays(d, -1), ArrowRight: (d) => addDays(d, 1), ArrowUp: (d) => addDays(d, -7), ArrowDown: (d) => addDays(d, 7),
    PageUp: (d) => addMonths(d, -1), PageDown: (d) => addMonths(d, 1), Home: (d) => addDays(d, -inWeek(d)), End: (d) => addDays(d, 6 - inWeek(d)) };

  function keydown(event) {
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    goTo(steps[event.key](at));
    body.querySelector('[tabindex="0"]').focus();
  }

  function over(event) {
    const day = event.target.closest('[data-day]')?.dataset.day;
    if (begun && day) goTo(day);
  }

  function pressed(event) {
    const day = event.target.closest('[data-day]')?.dataset.day;
    if (!day) return;
    const [a, b] = [begun, day].sort();
    begun = begun ? '' : day;
    goTo(day);
    if (!begun) chosen(a, b);
  }

  return {
    element,
    // Shows a range, '' where it has no such end.
    show(from, to, now) {
      [first, last, today, begun] = [from, to, now, ''];
      at = last || first || today;
      draw();
    },
  };
}
