// A chart of stacked bars: an SVG whose every mark is a link with a name. The chart is one stop of
// the Tab key; the arrow keys lead from mark to mark. What a bar's height shows is a number made of
// an exact figure; the figure itself is told by the mark's name, in words.

import { ticks } from 'd3-array';
import { h, hundredths, svg } from './dom.js';

const height = 232;
const margin = { top: 12, right: 4, bottom: 26, left: 56 };
const leastMark = 2; // pixels: what is there is to be seen

// columns: [{label, short, isMarked, marks: [{size, tone, name, href, lines}]}], each with a mark at
// least; size a number. scale(n) words for a number at the axis; label what the chart is of.
export function barChart({ label, columns, scale }) {
  const frame = h('div', { class: 'chart' });
  const tip = h('div', { class: 'chart-tip', 'aria-hidden': 'true', hidden: true });
  let width = 0;
  let at = [columns.length - 1, 0]; // the mark that the Tab key leads to
  let marks = [];

  function draw() {
    const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
    const most = Math.max(...columns.map(({ marks: of }) => of.reduce((sum, { size }) => sum + size, 0)), 0);
    const axis = ticks(0, most || 1, 4);
    if (most > axis.at(-1)) axis.push(axis.at(-1) + (axis[1] - axis[0]));
    const y = (n) => margin.top + inner.height * (1 - n / axis.at(-1));
    const step = inner.width / columns.length;
    const thick = Math.max(2, Math.min(step * 0.72, 44));
    const every = Math.ceil(columns.length * 64 / inner.width); // columns a label below them takes
    marks = [];
    const drawn = svg('svg', { class: 'chart-drawing', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': label },
      svg('g', { class: 'chart-axis', 'aria-hidden': 'true' }, (most > 0 ? axis : [0]).map((n) => [
        svg('line', { x1: margin.left, x2: width - margin.right, y1: y(n), y2: y(n), class: n === 0 && 'chart-floor' }),
        svg('text', { x: margin.left - 8, y: y(n), dy: '0.32em', 'text-anchor': 'end' }, scale(n)),
      ])),
      svg('g', { class: 'chart-axis', 'aria-hidden': 'true' }, columns.map((column, i) => ((columns.length - 1 - i) % every === 0
        ? drawLabel(column, i, step) : null))),
      columns.map((column, i) => drawColumn(column, i, { x: margin.left + step * i, step, thick, y, inner })));
    frame.replaceChildren(drawn, tip);
    place(at, false);
  }

  // The last one ends with the chart, where it would reach beyond.
  function drawLabel(column, i, step) {
    const isLast = i === columns.length - 1 && step < 48;
    return svg('text', { x: isLast ? width - margin.right : margin.left + step * (i + 0.5), y: height - 6, 'text-anchor': isLast ? 'end' : 'middle' }, column.short);
  }

  function drawColumn(column, i, { x, step, thick, y, inner }) {
    let top = y(0);
    const left = x + (step - thick) / 2;
    const links = column.marks.map((mark) => {
      const tall = mark.size > 0 ? Math.max(leastMark, inner.height - (y(mark.size) - margin.top)) : 0;
      top -= tall;
      const box = tall > 0
        ? svg('rect', { x: left, y: top, width: thick, height: Math.max(1, tall - 1), rx: 2, class: `mark-bar tone-${mark.tone}` })
        : svg('rect', { x: left, y: y(0) - 6, width: thick, height: 6, class: 'mark-bar tone-none' });
      const link = svg('a', { class: 'chart-mark', href: mark.href, tabindex: '-1', role: 'link', 'aria-label': mark.name }, box);
      link.addEventListener('focus', () => { place(find(link), false); tell(column, left + thick / 2); });
      link.addEventListener('blur', hush);
      return link;
    });
    marks.push(links);
    const reach = svg('rect', { x, y: margin.top, width: step, height: inner.height, class: 'chart-reach' });
    const group = svg('g', { class: `chart-column${column.isMarked ? ' pending' : ''}` }, reach, links);
    group.addEventListener('mouseenter', () => tell(column, x + step / 2));
    group.addEventListener('mouseleave', hush);
    return group;
  }

  function find(link) {
    const i = marks.findIndex((column) => column.includes(link));
    return [i, marks[i].indexOf(link)];
  }

  function place([i, j], focus) {
    const column = Math.max(0, Math.min(i, marks.length - 1));
    const row = Math.max(0, Math.min(j, marks[column].length - 1));
    for (const link of marks.flat()) link.setAttribute('tabindex', '-1');
    at = [column, row];
    marks[column][row].setAttribute('tabindex', '0');
    if (focus) marks[column][row].focus();
  }

  function tell(column, x) {
    tip.replaceChildren(h('p', { class: 'chart-tip-title' }, column.label), ...column.lines.map(({ tone, term, text }) =>
      h('p', null, h('span', null, tone && h('span', { class: `swatch tone-${tone}` }), term), h('span', { class: 'chart-tip-figure' }, text))));
    tip.hidden = false;
    const wide = tip.offsetWidth;
    tip.style.left = `${hundredths(Math.max(0, Math.min(x - wide / 2, width - wide)))}px`;
  }

  function hush() {
    tip.hidden = true;
  }

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], Home: [-Infinity, 0], End: [Infinity, 0] };
  frame.addEventListener('keydown', (event) => {
    const step = Object.hasOwn(steps, event.key) && !event.altKey && !event.ctrlKey && !event.metaKey ? steps[event.key] : null;
    if (!step || !event.target.closest?.('.chart-mark')) return;
    event.preventDefault();
    place([at[0] + step[0], at[1] + step[1]], true);
  });

  // Drawn in pixels of the page, so that its text is as large as other text.
  const watch = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width || Math.round(contentRect.width) === width) return;
    const held = frame.contains(document.activeElement);
    width = Math.round(contentRect.width);
    draw();
    if (held) place(at, true);
  });
  watch.observe(frame);
  return { element: frame, leave: () => watch.disconnect() };
}
