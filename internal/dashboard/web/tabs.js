// What the tabs that show this page tell each other, so that a new one need not ask for the access
// key, and signing out in one signs out of all. They talk by a BroadcastChannel: within this origin
// and this address alone, in memory alone; nothing of it is stored.
//
// A tab without a sign-in asks; a tab that is signed in with a key answers with it, to the one who
// asked. Tokens of single sign-on are not handed over: many issuers take a refresh token but once.
// Who was signed out meanwhile (a tab that the browser had put to sleep) learns it when it comes
// back, as long as a tab that knows of it is open.

const meetingPlace = `partnerview ${new URL('.', location.href).pathname}`;
const me = `${Math.random()}`;

let channel = null;
let saysOut = false; // the last that was heard is that somebody signed out
let take = null; // what to do with a key that is handed over; null: none was asked for

// key() is the access key in use, or null; signedIn() whether anybody is; ended() is called when
// somebody signed out in another tab.
export function meetTabs({ key, signedIn, ended }) {
  const hear = ({ origin, data }) => {
    if (origin !== location.origin || data?.from === me || (data?.to && data.to !== me)) return;
    switch (data?.say) {
      case 'ask':
        if (key()) say('key', { to: data.from, key: key() });
        break;
      case 'key':
        if (data.to === me && !signedIn()) take?.(data.key);
        break;
      case 'in':
        saysOut = false;
        break;
      case 'back':
        if (saysOut) say('out', { to: data.from });
        break;
      case 'out':
        saysOut = true;
        if (signedIn()) ended();
        break;
      default:
    }
  };
  const open = () => {
    channel = new BroadcastChannel(meetingPlace);
    channel.onmessage = hear;
    if (signedIn()) say('back');
  };
  open();
  // A page that the browser keeps for Back has no channel meanwhile: with one it would not be kept.
  window.addEventListener('pagehide', () => { channel?.close(); channel = null; });
  window.addEventListener('pageshow', ({ persisted }) => { if (persisted) open(); });
}

function say(what, more = {}) {
  channel?.postMessage({ say: what, from: me, ...more });
}

// Asks the other tabs for the key in use. taken(key) is called at most once, at any time while this
// tab is not signed in.
export function askTabs(taken) {
  take = (key) => {
    take = null;
    taken(key);
  };
  say('ask');
}

export function tellSignedIn() {
  take = null;
  saysOut = false;
  say('in');
}

export function tellSignedOut() {
  saysOut = true;
  say('out');
}
