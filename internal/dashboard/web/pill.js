// A filter as a pill: its name, what it is set to, and a panel in which it is set. One that is set
// has a button beside it that clears it.

import { h, icon, undirected } from './dom.js';
import { popup } from './popup.js';

// opened(panel) fills the panel; clear(), if given, takes the filter off; unset is what an unset one says.
export function pill({ label, opened, clear, unset = '', className }) {
  const said = h('span', { class: 'filter-said' });
  const button = h('button', { type: 'button', class: 'filter-button' }, h('span', { class: 'filter-name' }, label), ' ', said, icon('down'));
  const panel = popup(button, { label, opened, className });
  const off = clear && h('button', { type: 'button', class: 'filter-clear', hidden: true, 'aria-label': `Clear ${label.toLowerCase()}`, title: `Clear ${label.toLowerCase()}`,
    click: () => { button.focus(); clear(); } }, icon('close'));
  const element = h('div', { class: 'filter' }, button, off, panel.element);

  return {
    element,
    close: panel.close,
    focus: () => button.focus(),
    // Says what it is set to, in short and in full; '' is unset.
    set(text, whole = text) {
      said.textContent = text || unset;
      button.setAttribute('aria-label', undirected(`${label}: ${whole || unset || 'Any'}`));
      element.classList.toggle('set', text !== '');
      if (off) off.hidden = text === '';
    },
  };
}

// The panel of a filter that is one of some words: a button for each of [{value, text}].
export function words(options, chosen, choose) {
  return h('div', { class: 'words' }, options.map(({ value, text }) =>
    h('button', { type: 'button', class: 'word', 'aria-pressed': String(value === chosen), 'data-first': value === chosen, click: () => choose(value) }, text)));
}
