// Finds by words, as the API finds customers (directory.Search, whose cases the test of this module
// reads): in any order, each a part of the text, whatever the case and, of Latin, Greek and Cyrillic
// letters, the accents.

const accents = /(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]\p{Mn}*)\p{Mn}/gu;
const whole = new Map(Object.entries({ ø: 'o', ł: 'l', đ: 'd', ð: 'd', ħ: 'h', ŧ: 't', æ: 'ae', œ: 'oe', þ: 'th', ς: 'σ' })); // what Unicode does not take apart

function foldedText(text) {
  const cased = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase(); // by way of capitals ß is ss, and ı is i
  return cased.normalize('NFKD').replace(accents, '').replace(/[^\0-\x7f]/gu, (letter) => whole.get(letter) ?? letter).normalize('NFC');
}

// The words that are looked for.
export function searchWords(text) {
  return text.split(/\s+/).filter(Boolean).map(foldedText);
}

// How well a text answers them: 0 begins with the first of them, 1 has a word that does, 2 has all
// of them somewhere; -1 lacks one.
export function searchRank(words, text) {
  const all = foldedText(text);
  if (!words.every((word) => all.includes(word))) return -1;
  if (words.length === 0 || all.startsWith(words[0])) return 0;
  return all.split(/[\s(-]+/).some((part) => part.startsWith(words[0])) ? 1 : 2;
}
