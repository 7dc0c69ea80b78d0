// A panel that a button opens beside it, above all else on the page. The browser closes it
// at Escape, at a click elsewhere and when another one opens, and gives the focus back.

import { freshId, h, hundredths } from './dom.js';

const edge = 8; // pixels that stay free at the sides of the window

// opened(panel) fills it, before it is shown. What has the attribute data-first gets the focus, else the
// first that can have it.
export function popup(button, { label, opened, className = '' }) {
  const panel = h('div', { class: `panel ${className}`.trim(), id: freshId('panel'), popover: 'auto', role: 'group', 'aria-label': label, beforetoggle, toggle, focusout: left });
  button.setAttribute('popovertarget', panel.id);
  button.setAttribute('aria-expanded', 'false');

  function beforetoggle(event) {
    if (event.target === panel && event.newState === 'open') opened(panel);
  }

  function toggle(event) {
    if (event.target !== panel) return;
    const open = event.newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (!open) return window.removeEventListener('resize', place);
    place();
    window.addEventListener('resize', place);
    (panel.querySelector('[data-first]') ?? panel.querySelector('input, button'))?.focus({ preventScroll: true });
    panel.scrollIntoView({ block: 'nearest' });
  }

  function place() {
    const at = button.getBoundingClientRect();
    const most = document.documentElement.clientWidth - edge - panel.offsetWidth;
    panel.style.left = `${hundredths(Math.max(edge, Math.min(at.left, most)) + scrollX)}px`;
    panel.style.top = `${hundredths(at.bottom + 4 + scrollY)}px`;
  }

  function left(event) {
    if (event.relatedTarget && event.relatedTarget !== button && !panel.contains(event.relatedTarget)) close();
  }

  function close() {
    if (panel.matches(':popover-open')) panel.hidePopover();
  }

  return { element: panel, close };
}
