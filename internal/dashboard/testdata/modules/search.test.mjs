import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { searchRank, searchWords } from '../../web/search.js';
import { countries } from '../../web/vocabulary.js';

const cases = JSON.parse(readFileSync(new URL('../../../directory/testdata/search.json', import.meta.url)));

test('the page finds what the API finds', () => {
  assert.ok(cases.length > 30);
  for (const { claim, search, name, found } of cases) assert.equal(searchRank(searchWords(search), name) >= 0, found, `${claim}: ${search} in ${name}`);
});

test('what begins with the search comes before what has it somewhere', () => {
  const rank = (search) => (country) => searchRank(searchWords(search), country);
  assert.deepEqual(['Germany', 'West Germany', 'Algeria', 'Spain'].map(rank('ger')), [0, 1, 2, -1]);
  assert.deepEqual(['United Kingdom', 'United States'].map(rank('states un')), [-1, 1]);
  assert.equal(rank('ivoire')('Côte d’Ivoire'), 2);
  assert.equal(rank('')('Spain'), 0);
});

test('every country is found by its name in plain letters', () => {
  for (const { text } of countries()) {
    const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toUpperCase();
    assert.equal(searchRank(searchWords(plain), text), 0, text);
  }
});
