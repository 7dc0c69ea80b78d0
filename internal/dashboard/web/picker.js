// A filter with several answers: a pill whose panel has check boxes.

import { h } from './dom.js';
import { pill } from './pill.js';
import { searchRank, searchWords } from './search.js';

const searchableFrom = 16; // options; from so many on the panel has a search field

// options() gives [{value, text, hint}]; change(values, first) is called with every click,
// first being true for the first one since the panel was opened.
export function picker({ label, options, change }) {
  let chosen = [];
  let first = true;
  let rows = []; // in the order of the options, however a search has sorted them
  const face = pill({ label, opened: draw, clear: () => change([], true), className: 'picker' });

  function draw(panel) {
    first = true;
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
    panel.replaceChildren(...[search, list, none].filter(Boolean));
  }

  function toggled() {
    const was = first;
    first = false;
    change(rows.map((row) => row.querySelector('input')).filter((input) => input.checked).map((input) => input.value), was);
  }

  return {
    element: face.element,
    // Shows what is chosen; names(value) is its text.
    set(values, names) {
      chosen = values;
      const all = values.map(names).join(', ');
      face.set(values.length > 1 ? `${values.length} chosen` : all, values.length > 1 ? `${values.length} chosen (${all})` : all);
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
