// Who is signed in, in this tab: an access key in sessionStorage and nowhere
// else. Closing the tab forgets it.
//
// This module is the place for single sign-on: a second way to sign in puts its
// token where the key is now, and answers credential(); no other module
// knows what a credential is made of.

const place = 'partnerview.credential';

// The form of an access key: pvk_<keyId>_<secret>. Whether it counts, only the
// API can tell.
const keyForm = /^pvk_([0-9A-Za-z]+)_[0-9A-Za-z]+$/;

export function looksLikeKey(text) {
  return keyForm.test(text);
}

// What goes into the Authorization header, null while nobody is signed in.
export function credential() {
  return sessionStorage.getItem(place);
}

export function signIn(key) {
  sessionStorage.setItem(place, key);
}

export function signOut() {
  sessionStorage.removeItem(place);
}

// The public part of the key in use, which tells a person's keys apart.
export function keyId() {
  return keyForm.exec(credential() ?? '')?.[1] ?? '';
}
