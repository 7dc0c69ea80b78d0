// The names of mobile operators, by the code (MCC and MNC) that a record has.

import list from './operatorlist.js';

let names = null; // code → name, once one is asked for

// "26201" → "Telekom"; '' for a code that the list does not have.
export function operatorName(code) {
  names ??= new Map(list.split('\n').flatMap((line) => {
    const [country, ...networks] = line.split('\t');
    return networks.map((network) => [country + network.slice(0, network.indexOf(' ')), network.slice(network.indexOf(' ') + 1)]);
  }));
  return names.get(code) ?? '';
}
