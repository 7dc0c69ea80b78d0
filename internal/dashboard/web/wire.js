// One request and its answer, whoever is asked. Every failure comes out as a Problem,
// whoever made it: the one who answers, the network, or a clock that ran out.

const patience = 30_000; // milliseconds; the gateway itself gives up after 29 s

export class Problem extends Error {
  constructor({ status = 0, code, detail = '', requestId = '', retryAfter = 0, errors = [] }) {
    super(detail || code);
    Object.assign(this, { status, code, detail, requestId, retryAfter, errors });
  }
}

// The response, its text, and its JSON: null where that is no object. A request that its own signal stopped
// rejects with an AbortError, which is nobody's problem.
export async function exchange(url, { signal, ...init }) {
  const stop = new AbortController();
  let late = false;
  const clock = setTimeout(() => { late = true; stop.abort(); }, patience);
  if (signal?.aborted) stop.abort();
  signal?.addEventListener('abort', () => stop.abort());
  try {
    const response = await fetch(url, { cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer', signal: stop.signal, ...init });
    const text = await response.text();
    return { response, text, answer: parsed(text) };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ code: late ? 'timeout' : 'unreachable' });
  } finally {
    clearTimeout(clock);
  }
}

export function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
