// A filter with several answers: a button that says what is chosen, and a panel of
// check boxes under it. Escape, leaving it, or a click elsewhere closes the panel.

import { freshId, h, icon, undirected } from './dom.js';
import { searchRank, searchWords } from './search.js';

const searchableFrom = 16; // options; from so many on the panel has a search field

// options() gives [{value, text, hint}]; change(values, first) is called with every click,
// first being true for the first one since the panel was opened.
export function picker({ label, options, change }) {
  let chosen = [];
  let first = true;
  let rows = []; // in the order of the options, however a search has sorted them
  const panelId = freshId('picker');
  const labelId = freshId('picker-label');
  const said = h('span', { class: 'picker-said' });
  const button = h('button', { type: 'button', class: 'control', 'aria-expanded': 'false', 'aria-controls': panelId, click: () => (panel.hidden ? open() : close()) }, said, icon('down'));
  const panel = h('div', { class: 'picker-panel', id: panelId, role: 'group', 'aria-labelledby': labelId, hidden: true });
  const element = h('div', { class: 'picker field', keydown, focusout: left },
    h('span', { class: 'field-label', id: labelId }, label), button, panel);

  function keydown(event) {
    if (event.key !== 'Escape' || panel.hidden) return;
    event.stopPropagation();
    close();
    button.focus();
  }

  function left(event) {
    if (event.relatedTarget && !element.contains(event.relatedTarget)) close();
  }

  function outside(event) {
    if (!element.contains(event.target)) close();
  }

  function open() {
    first = true;
    draw();
    panel.classList.remove('leftwards');
    panel.hidden = false;
    panel.classList.toggle('leftwards', panel.getBoundingClientRect().right > document.documentElement.clientWidth);
    button.setAttribute('aria-expanded', 'true');
    document.addEventListener('pointerdown', outside);
    panel.querySelector('input').focus();
  }

  function close() {
    panel.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside);
  }

  function draw() {
    const all = options(chosen);
    const list = h('div', { class: 'picker-list' }, all.map((option) =>
      h('label', { class: 'check' },
        h('input', { type: 'checkbox', value: option.value, checked: chosen.includes(option.value), change: toggled }),
        h('span', null, option.text), option.hint && h('span', { class: 'hint' }, option.hint))));
    rows = [...list.children];
    const none = h('p', { class: 'hint picker-none', hidden: true }, 'No match.');
    const search = all.length >= searchableFrom && h('input', {
      type: 'search', class: 'control', placeholder: `Find a ${label.toLowerCase()}`, 'aria-label': `Find a ${label.toLowerCase()}`, autocomplete: 'off',
      input: (event) => {
        const ranks = rank(searchWords(event.target.value), all);
        rows.forEach((row, i) => { row.hidden = ranks[i] < 0; });
        list.append(...[0, 1, 2, 3].flatMap((r) => rows.filter((row, i) => ranks[i] === r)));
        list.scrollTop = 0;
        none.hidden = rows.some((row) => !row.hidden);
      },
    });
    panel.replaceChildren(...[search, list, none, h('button', { type: 'button', class: 'button quiet-button', click: clear }, 'Clear')].filter(Boolean));
  }

  function toggled() {
    report(rows.map((row) => row.querySelector('input')).filter((input) => input.checked).map((input) => input.value));
  }

  function clear() {
    close();
    button.focus();
    if (chosen.length > 0) report([]);
  }

  function report(values) {
    const was = first;
    first = false;
    change(values, was);
  }

  return {
    element,
    // Shows what is chosen; names(value) is its text.
    set(values, names) {
      chosen = values;
      said.textContent = values.length === 0 ? 'Any' : values.length === 1 ? names(values[0]) : `${values.length} chosen`;
      button.setAttribute('aria-label', undirected(`${label}: ${said.textContent}${values.length > 1 ? ` (${values.map(names).join(', ')})` : ''}`));
      element.classList.toggle('set', values.length > 0);
    },
  };
}

// How well each option answers a search, -1 for those that do not: a hint (a country's code) typed
// whole comes first, then what begins with the search.
function rank(words, options) {
  return options.map(({ text, hint }) => {
    if (hint && words.length === 1 && searchRank(words, hint) === 0 && hint.length === words[0].length) return 0;
    const best = searchRank(words, `${text} ${hint ?? ''}`);
    return best < 0 ? best : best + 1;
  });
}
