// Downloads a list as one CSV file, page after page, with how far it has come and a way to stop.
// It goes on while the person looks at other views; one runs at a time, and none after signing out.

import { getCSV } from './api.js';
import { h, icon } from './dom.js';
import { counted } from './format.js';
import { announce, problemText, toast } from './notice.js';
import { newFile } from './savefile.js';

const tries = 4; // of a page, before the person is asked
const passing = ['too_many_requests', 'unavailable', 'timeout', 'unreachable']; // may be over a little later

let running = null; // {stop, panel}

// A button that downloads what what() tells: url, the list's first page; file, its name; one and many, a
// noun for a line; reached(cursor), how far was read, or ''.
export function downloadButton(what) {
  return h('button', { type: 'button', class: 'button', click: () => download(what()) }, icon('download'), h('span', null, 'Download CSV'));
}

export function stopDownload() {
  running?.stop.abort();
}

async function download({ url, file: name, one, many, reached = () => '' }) {
  if (running) {
    toast('Another download is under way.');
    return;
  }
  const panel = progressPanel(name);
  running = { stop: panel.stop };
  const { signal } = panel.stop;
  let file = null;
  try {
    file = await newFile(name);
    if (!file || signal.aborted) return;
    panel.begin();
    let lines = 0;
    for (let next = url; next;) {
      const page = await pageOf(next, signal, panel);
      const records = withoutHead(page.text);
      lines += countLines(records);
      await file.write(next === url ? page.text : records);
      next = page.next;
      panel.say(counted(lines, one, many), next ? reached(next.searchParams.get('cursor')) : '');
    }
    await file.finish();
    file = null;
    toast(`${counted(lines, one, many)} saved as ${name}`);
  } catch (problem) {
    if (signal.aborted) announce('The download was cancelled.');
    else if (problem.status !== 401) toast('The file could not be written.'); // of all else pageOf has told
  } finally {
    running = null;
    panel.remove();
    await file?.drop();
  }
}

// A page, however often it has to be asked for: what passes is waited for, all else the person decides.
async function pageOf(url, signal, panel) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await getCSV(url, { signal });
    } catch (problem) {
      if (signal.aborted || problem.status === 401) throw problem;
      if (passing.includes(problem.code) && tried % tries !== 0) await pause(Math.max(problem.retryAfter, 2 ** (tried % tries - 1)), signal);
      else await panel.askAgain(problem);
    }
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const clock = setTimeout(resolve, seconds * 1000);
    signal.addEventListener('abort', () => { clearTimeout(clock); reject(signal.reason); });
  });
}

function progressPanel(name) {
  const stop = new AbortController();
  const held = document.activeElement;
  const leaving = (event) => event.preventDefault(); // the browser asks whether to end it
  const said = h('p', null, 'Beginning…');
  const bar = h('progress', { 'aria-label': 'Download' });
  const fault = h('p', { class: 'field-fault', role: 'alert' });
  const again = h('button', { type: 'button', class: 'button', hidden: true }, 'Try again');
  const element = h('section', { class: 'download', 'aria-label': 'Download' },
    h('p', { class: 'download-name' }, `Downloading ${name}`), said, bar, fault,
    h('div', { class: 'actions' }, again, h('button', { type: 'button', class: 'button', click: () => stop.abort() }, 'Cancel')));

  return {
    stop,
    begin() {
      document.body.append(element);
      window.addEventListener('beforeunload', leaving);
      announce(`Downloading ${name}`);
    },
    say: (count, how) => { said.textContent = `${count} so far. ${how}`.trim(); },
    // Tells a problem, and waits for the person to try again.
    askAgain(problem) {
      fault.textContent = problemText(problem);
      bar.hidden = true;
      again.hidden = false;
      return new Promise((resolve, reject) => {
        const off = new AbortController();
        again.addEventListener('click', () => {
          off.abort();
          fault.textContent = '';
          bar.hidden = false;
          again.hidden = true;
          resolve();
        }, { once: true, signal: off.signal });
        stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { signal: off.signal });
      });
    },
    remove() {
      window.removeEventListener('beforeunload', leaving);
      if (element.contains(document.activeElement)) held?.focus({ preventScroll: true });
      element.remove();
    },
  };
}

// Every page begins with the line of the columns' names, which has no quoted cell.
function withoutHead(text) {
  return text.slice(text.indexOf('\r\n') + 2);
}

// How many lines of RFC 4180 these are; a quoted cell may go over several of the text.
export function countLines(text) {
  return text.replace(/"[^"]*"/g, '').split('\r\n').length - 1;
}
