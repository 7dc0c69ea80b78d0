// Makes the page's elements. Text goes in as text nodes and attributes only:
// nothing here or elsewhere turns a string into markup, and the page's
// Content-Security-Policy (require-trusted-types-for) forbids it as well.

const svgNamespace = 'http://www.w3.org/2000/svg';

// An attribute that is a function listens to the event of that name; true is an
// empty attribute; false, null and undefined are none.
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? '' : key === 'title' || key === 'aria-label' ? undirected(value) : value);
  }
  element.append(...children.flat(2).filter((c) => c !== false && c !== null && c !== undefined));
  return element;
}

// The same of a drawing's parts. An attribute of the presentation is no style, which the page's
// policy forbids. A coordinate is told to a hundredth of a pixel: 65.80000000000001 would look like
// a telephone number to whoever searches the page for one.
export function svg(name, attributes, ...children) {
  const element = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(key, typeof value === 'number' ? hundredths(value) : value);
  }
  element.append(...children.flat(2).filter((c) => c !== false && c !== null && c !== undefined));
  return element;
}

export function hundredths(n) {
  return Math.round(n * 100) / 100;
}

// A picture beside a text that says the same: hidden from screen readers.
export function icon(name, extraClass = '') {
  return svg('svg', { class: `icon ${extraClass}`.trim(), 'aria-hidden': 'true' }, svg('use', { href: `#icon-${name}` }));
}

// Text for screen readers alone.
export function spoken(text) {
  return h('span', { class: 'spoken' }, text);
}

// Data of unknown script and direction, set apart from the text around it.
export function name(text) {
  return h('bdi', { dir: 'auto' }, text);
}

// A button whose work is under way. It keeps the focus, which one that is disabled loses.
export function setBusy(button, busy) {
  button.setAttribute('aria-disabled', String(busy));
}

export function isBusy(button) {
  return button.getAttribute('aria-disabled') === 'true';
}

// What stands where nothing is known: a dash to see, words to hear.
export function unknown(words = 'not available') {
  return h('span', { class: 'quiet' }, h('span', { 'aria-hidden': 'true' }, '–'), spoken(words));
}

// A text for where no element can set its direction apart, such as a title: without the characters
// that turn the text around them.
export function undirected(text) {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

let ids = 0;

// An id that no other element of the page has.
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}
