// The sign-in page: single sign-on where there is an issuer, and the access key.

import { get } from './api.js';
import { h, icon, isBusy, setBusy } from './dom.js';
import { issuerName, redeem, setOut } from './issuer.js';
import { announce, failure } from './notice.js';
import { looksLikeKey, signIn, signInWith } from './session.js';

// message is why the person is here: {tone: 'bad' | 'good', text}, or null; with another: true,
// the issuer is to ask who they are. answer is what they come back from the issuer with, or null;
// looking a promise that rejects once nobody was found to be signed in at the issuer, or null.
// A key is tried at question(), an address of the API. entered() is called once somebody is signed in.
export function signInView({ message, answer, looking, question, entered }) {
  const heading = h('h1', { tabindex: '-1' }, 'Sign in');
  const element = h('div', { class: 'signin' },
    h('div', { class: 'signin-card' },
      icon('mark', 'signin-mark'), heading,
      h('p', { class: 'lead' }, 'Your customers’ credit, usage and prices, as they are on the platform.'),
      message && h('div', { class: `notice ${message.tone === 'bad' ? 'notice-bad' : 'notice-good'}`, role: message.tone === 'bad' ? 'alert' : 'status' },
        icon(message.tone === 'bad' ? 'warning' : 'check', 'notice-icon'), h('p', { class: 'notice-text' }, message.text)),
      issuerName ? [singleSignOn({ message, answer, looking, entered }), h('p', { class: 'signin-or' }, 'or')] : [],
      accessKey(question, entered)),
    h('p', { class: 'signin-foot' }, h('a', { href: 'docs' }, 'API reference')));
  return { element, heading, title: () => 'Sign in', focus: issuerName ? null : element.querySelector('input'), update() {}, leave() {},
    idle: () => element.querySelector('input').value === '' && !element.querySelector('[aria-disabled=true]'),
  };
}

function singleSignOn({ message, answer, looking, entered }) {
  const label = message?.another ? 'Use another account' : message?.tone === 'bad' ? 'Sign in again' : 'Continue with single sign-on';
  const trouble = h('div', { class: 'signin-trouble' });
  const button = h('button', { type: 'button', class: 'button primary', click: () => { if (!isBusy(button)) begin(); } }, label);

  function busy(words) {
    setBusy(button, words !== '');
    button.replaceChildren(...(words ? [icon('spinner', 'turning'), words] : [label]));
  }

  async function attempt(words, work, retry) {
    trouble.replaceChildren();
    busy(words);
    announce(words);
    try {
      await work();
    } catch (problem) {
      busy('');
      if (document.activeElement === document.body) button.focus();
      trouble.replaceChildren(failure(problem, problem.code.startsWith('issuer_') && retry));
    }
  }

  function begin() {
    attempt(`Going to ${issuerName}…`, () => setOut(location.hash, message?.another), begin);
  }

  function finish() {
    attempt('Signing in…', async () => { signInWith(await redeem(answer)); entered(); }, finish);
  }

  if (answer) finish();
  else if (looking) {
    busy('Looking for your sign-in…');
    looking.catch(() => busy(''));
  }
  return h('div', { class: 'signin-form' }, trouble, button, h('p', { class: 'hint' }, `You sign in at ${issuerName}.`));
}

function accessKey(question, entered) {
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
  const button = h('button', { type: 'submit', class: `button ${issuerName ? 'tall' : 'primary'}` }, 'Sign in');

  function tell(text) {
    fault.textContent = text;
    input.setAttribute('aria-invalid', String(text !== ''));
    if (text) input.focus();
  }

  async function submit(event) {
    event.preventDefault();
    if (isBusy(button)) return undefined;
    const key = input.value.trim();
    trouble.replaceChildren();
    if (key === '') return tell('Enter your access key.');
    if (!looksLikeKey(key)) return tell('This is not an access key. Keys begin with pvk_; paste the whole key.');
    setBusy(button, true);
    button.replaceChildren(icon('spinner', 'turning'), 'Signing in…');
    try {
      await get(question(), { key }).catch((problem) => { if (problem.status !== 404) throw problem; }); // a 404 is for the view to tell
      signIn(key);
      input.value = '';
      return entered();
    } catch (problem) {
      if (problem.status === 401) tell('This access key is not valid: it is unknown, expired or revoked, or access is suspended. If it should work, contact the platform’s operator.');
      else trouble.replaceChildren(failure(problem, () => form.requestSubmit()));
    } finally {
      setBusy(button, false);
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
    h('p', { class: 'hint', id: 'key-hint' }, 'The platform’s operator gives you one. It stays in the open tabs of this page: closing them, or signing out, forgets it.'));
  return form;
}
