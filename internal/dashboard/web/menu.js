// A menu of what is wanted less often: a button with three dots, and under it what can be done.

import { h, icon } from './dom.js';
import { popup } from './popup.js';

// items are [{text, picture, click}].
export function menuOf(label, items) {
  const button = h('button', { type: 'button', class: 'button menu-button', 'aria-label': label, title: label }, icon('dots'));
  const panel = popup(button, { label, opened: (element) => element.replaceChildren(h('div', { class: 'words' }, items.map(({ text, picture, click }) =>
    h('button', { type: 'button', class: 'word', click: () => { panel.close(); click(); } }, icon(picture), text)))) });
  return h('div', { class: 'menu-of' }, button, panel.element);
}
