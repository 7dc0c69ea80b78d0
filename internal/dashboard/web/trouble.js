// What could not be loaded, in a view of several parts: each part tells of its own problem, but that
// nobody answered is told once, above all of them, with one retry for all.

import { h } from './dom.js';
import { failure, isOffline } from './notice.js';

// heading takes the focus when the retry that was pressed goes.
export function troubleBox(heading) {
  const element = h('div', { class: 'trouble' });
  const missing = new Set();

  function again() {
    heading.focus();
    element.replaceChildren();
    const all = [...missing];
    missing.clear();
    all.forEach((one) => one());
  }

  return {
    element,
    // Tells of a problem in the place of what is missing; words name that.
    tell(place, problem, retry, words) {
      if (!isOffline(problem)) {
        place.replaceChildren(failure(problem, retry));
        return;
      }
      missing.add(retry);
      place.replaceChildren(h('p', { class: 'empty-line' }, `${words} could not be loaded.`));
      if (!element.hasChildNodes()) element.replaceChildren(failure(problem, again));
    },
    clear() {
      missing.clear();
      element.replaceChildren();
    },
  };
}
