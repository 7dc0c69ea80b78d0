// The sign-in page. ways lists how one can sign in; single sign-on will be one more
// of them, shown before the access key.

import { address, get } from './api.js';
import { h, icon } from './dom.js';
import { failure } from './notice.js';
import { looksLikeKey, signIn } from './session.js';

const ways = [accessKey];

// message is why the person is here: {tone: 'bad' | 'good', text}, or null. entered() is called
// once somebody is signed in.
export function signInView({ message, entered }) {
  const heading = h('h1', { tabindex: '-1' }, 'Sign in');
  const element = h('div', { class: 'signin' },
    h('div', { class: 'signin-card' },
      icon('mark', 'signin-mark'), heading,
      h('p', { class: 'lead' }, 'Your customers’ credit, usage and prices, as they are on the platform.'),
      message && h('div', { class: `notice ${message.tone === 'bad' ? 'notice-bad' : 'notice-good'}`, role: message.tone === 'bad' ? 'alert' : 'status' },
        icon(message.tone === 'bad' ? 'warning' : 'check', 'notice-icon'), h('p', { class: 'notice-text' }, message.text)),
      ways.map((way) => way(entered))),
    h('p', { class: 'signin-foot' }, h('a', { href: 'docs' }, 'API reference')));
  return { element, heading, title: () => 'Sign in', focus: element.querySelector('input'), update() {}, leave() {} };
}

function accessKey(entered) {
  const fault = h('p', { class: 'field-fault', id: 'key-fault', role: 'alert' });
  const trouble = h('div', { class: 'signin-trouble' });
  const input = h('input', {
    id: 'key', class: 'control', type: 'password', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', required: true,
    placeholder: 'pvk_…', 'aria-describedby': 'key-fault key-hint', input: () => tell(''),
  });
  const reveal = h('button', { type: 'button', class: 'icon-button reveal', 'aria-label': 'Show the key', 'aria-pressed': 'false', click: () => {
    const hidden = input.type === 'password';
    input.type = hidden ? 'text' : 'password';
    reveal.setAttribute('aria-pressed', String(hidden));
  } }, icon('eye'));
  const button = h('button', { type: 'submit', class: 'button primary' }, 'Sign in');

  function tell(text) {
    fault.textContent = text;
    input.setAttribute('aria-invalid', String(text !== ''));
    if (text) input.focus();
  }

  async function submit(event) {
    event.preventDefault();
    const key = input.value.trim();
    trouble.replaceChildren();
    if (key === '') return tell('Enter your access key.');
    if (!looksLikeKey(key)) return tell('This is not an access key. One begins with pvk_ and is pasted whole.');
    button.disabled = true;
    button.replaceChildren(icon('spinner', 'turning'), 'Signing in…');
    try {
      await get(address(['customers'], { limit: '1' }), { key });
      signIn(key);
      input.value = '';
      return entered();
    } catch (problem) {
      if (problem.status === 401) tell('This access key does not count: it is unknown, expired or revoked.');
      else trouble.replaceChildren(failure(problem, () => form.requestSubmit()));
    } finally {
      button.disabled = false;
      button.replaceChildren('Sign in');
    }
    return undefined;
  }

  const form = h('form', { class: 'signin-form', novalidate: true, submit },
    h('label', { class: 'field-label', for: 'key' }, 'Access key'),
    h('div', { class: 'key-field' }, input, reveal),
    fault,
    button,
    trouble,
    h('p', { class: 'hint', id: 'key-hint' }, 'The platform’s operator gives you one. It stays in this tab: closing the tab, or signing out, forgets it.'));
  return form;
}
