package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ofTheRun are attributes that differ from one run to the next though nothing went wrong: the time
// of day, marks of a count, and what is drawn at random.
var ofTheRun = []string{"updatedAt", "mark", "set", "loadedAt", "pricesChangedAt", "version", "hash", "lastFour", "revision",
	"at@TotalsTable"}

// whenever is the same of what stands within an attribute, as a log's in a month.
var whenever = regexp.MustCompile(`\bupdatedAt="[^"]*" `)

// keyID is the id of an access key where it stands in an item.
var keyID = regexp.MustCompile(`\b(KEY#|VIEWER#[a-z]+#|VIEWER#|key narrow )([0-9A-Za-z]{12})\b`)

// lines are the tables in a spelling in which two runs of the same are the same: without what is of
// the run, each new access key under the same name, and without the ledger's entries, of which a
// command that was run twice has two. What waits to be counted is there: nothing may wait.
func (h *house) lines(all contents) map[string]bool {
	lines := make(map[string]bool)
	for table, items := range all {
		for _, it := range items {
			if table == "LedgerTable" && !isOpen(it) || isEmptyDay(it) {
				continue
			}
			known := maps.Clone(it)
			maps.DeleteFunc(known, func(name string, _ types.AttributeValue) bool {
				return slices.Contains(ofTheRun, name) || slices.Contains(ofTheRun, name+"@"+table)
			})
			lines[table+" "+whenever.ReplaceAllString(h.anonymous(textOf(known)), "")] = true
		}
	}
	return lines
}

// isOpen reports whether an item of the ledger is a day that waits to be counted.
func isOpen(it item) bool {
	sk, ok := it["sk"].(*types.AttributeValueMemberS)
	return ok && (strings.HasPrefix(sk.Value, "OPEN#") || strings.HasPrefix(sk.Value, "LATER#") || sk.Value == "REBUILD")
}

// isEmptyDay reports whether an item is a day that was counted, without records.
func isEmptyDay(it item) bool {
	sk, ok := it["sk"].(*types.AttributeValueMemberS)
	return ok && strings.HasPrefix(sk.Value, "DAY#") && it["groups"] == nil && it["parts"] == nil && it["stale"] == nil
}

// anonymous gives all access keys that are not of the house the same name.
func (h *house) anonymous(text string) string {
	return keyID.ReplaceAllStringFunc(text, func(found string) string {
		for _, id := range h.ids {
			if strings.HasSuffix(found, id) {
				return found
			}
		}
		return found[:len(found)-12] + "NEW"
	})
}

// same says in what two states of the tables differ.
func same(want, got map[string]bool) error {
	var words []string
	for line := range got {
		if !want[line] {
			words = append(words, "is there: "+line)
		}
	}
	for line := range want {
		if !got[line] {
			words = append(words, "is missing: "+line)
		}
	}
	if len(words) == 0 {
		return nil
	}
	slices.Sort(words)
	return errors.New("the tables differ: " + strings.Join(words[:min(3, len(words))], "; "))
}

// events counts the ledger's entries of a kind: what a command did must be told at least once.
func events(all contents) map[string]int {
	counts := make(map[string]int)
	for _, it := range all["LedgerTable"] {
		pk, _ := it["pk"].(*types.AttributeValueMemberS)
		if pk == nil || strings.HasPrefix(pk.Value, "WRITER") {
			continue
		}
		kind, _, _ := strings.Cut(pk.Value, "#")
		counts[kind+" "+valueOf(it["command"])+valueOf(it["kind"])]++
	}
	return counts
}

// told is an error where fewer entries of a kind are in the ledger than there should be.
func told(want, got map[string]int) error {
	for kind, n := range want {
		if got[kind] < n {
			return fmt.Errorf("the ledger has %d entries %s, not %d", got[kind], kind, n)
		}
	}
	return nil
}
