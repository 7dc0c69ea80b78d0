package template

import (
	"regexp"
	"slices"
	"strings"
)

// leadingKeys are the values that a read gives for the partition key.
func (r read) leadingKeys(partition string) (keys []string) {
	for _, key := range append(r.Keys, r.Key) {
		if v, ok := key[partition]; ok {
			keys = append(keys, v.text())
		}
	}
	for _, equal := range equality.FindAllStringSubmatch(r.KeyConditionExpression, -1) {
		name, place := equal[1], equal[2]
		if name == partition || r.ExpressionAttributeNames[name] == partition {
			keys = append(keys, r.ExpressionAttributeValues[place].text())
		}
	}
	return keys
}

var (
	equality = regexp.MustCompile(`(#?\w+)\s*=\s*(:\w+)`)
	word     = regexp.MustCompile(`[#:]?\w+(?:\.#?\w+|\[\d+\])*`)
	notNames = []string{"AND", "OR", "NOT", "BETWEEN", "IN", "attribute_exists", "attribute_not_exists",
		"attribute_type", "begins_with", "contains", "size"}
)

// attributesIn are the top-level attributes that an expression names, with their
// placeholders unresolved: "#a.b[0] = :v" names #a.
func attributesIn(expression string) (names []string) {
	for _, w := range word.FindAllString(expression, -1) {
		w = w[:strings.IndexAny(w+".", ".[")]
		if w[0] != ':' && !slices.Contains(notNames, w) {
			names = append(names, w)
		}
	}
	return names
}
