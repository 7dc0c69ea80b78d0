// The words and pictures of the field: products, directions, statuses,
// channels, countries. A word that it does not know is shown as it came, since
// platforms have their own.

export const products = ['sms', 'voice', 'video', 'messaging'];

const productWords = new Map([
  ['sms', { label: 'SMS', one: 'message', many: 'messages' }],
  ['voice', { label: 'Voice', one: 'call', many: 'calls' }],
  ['video', { label: 'Video', one: 'session', many: 'sessions' }],
  ['messaging', { label: 'Messaging Apps', one: 'message', many: 'messages' }],
]);

export function productWord(product) {
  return productWords.get(product) ?? { label: product, one: 'record', many: 'records' };
}

// The tone of a status is its colour; its picture tells the same without colour. What went well is quiet, and has none.
const tones = { good: null, bad: 'cross', waiting: 'clock', still: 'minus' };

const statusTones = new Map([
  ['delivered', 'good'], ['read', 'good'], ['received', 'good'], ['completed', 'good'],
  ['undelivered', 'bad'], ['rejected', 'bad'], ['failed', 'bad'], ['error', 'bad'],
  ['queued', 'waiting'], ['sent', 'waiting'], ['in_progress', 'waiting'],
]);

export function statusWord(status) {
  const tone = statusTones.get(status) ?? 'still';
  return { label: plain(status), tone, icon: tones[tone] };
}

// The statuses that a product's records usually have, for its filter.
const messageStatuses = ['queued', 'sent', 'delivered', 'undelivered', 'read', 'rejected', 'failed', 'received', 'canceled', 'error', 'unknown'];
const callStatuses = ['completed', 'in_progress', 'no_answer', 'busy', 'canceled', 'rejected', 'failed', 'error', 'unknown'];

export function usualStatuses(product) {
  return product === 'voice' || product === 'video' ? callStatuses : messageStatuses;
}

const channelNames = new Map([
  ['whatsapp', 'WhatsApp'], ['viber', 'Viber'], ['line', 'LINE'], ['rcs', 'RCS'], ['zalo', 'Zalo'],
  ['kakaotalk', 'KakaoTalk'], ['telegram', 'Telegram'], ['messenger', 'Messenger'], ['wechat', 'WeChat'], ['sms', 'SMS'],
]);

export const usualChannels = [...channelNames.keys()];

export function channelName(channel) {
  return channelNames.get(channel) ?? plain(channel);
}

export function directionWord(direction) {
  if (direction === 'inbound') return { label: 'Inbound', icon: 'inbound' };
  if (direction === 'outbound') return { label: 'Outbound', icon: 'outbound' };
  return null;
}

// "no_answer" → "No answer".
export function plain(word) {
  const text = word.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const regionNames = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

// "GB" → "United Kingdom"; a code without a name is itself.
export function countryName(code) {
  try {
    return regionNames.of(code) ?? code;
  } catch {
    return code;
  }
}

// ISO 3166-1 alpha-2.
const countryCodes = 'ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW';

export function countries() {
  return countryCodes.match(/../g)
    .map((code) => ({ value: code, text: countryName(code), hint: code }))
    .sort((a, b) => a.text.localeCompare(b.text, 'en'));
}
