package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// scenario is a command of partnerctl as it is tried.
type scenario struct {
	command string
	args    []string
	writes  bool
}

func (s scenario) String() string { return "partnerctl " + s.command }

// apart are the commands that do not talk to the engine, and why.
var apart = map[string]string{
	"version": "it asks nobody", "completion": "it asks nobody", "audit": "it reads logs, not tables",
	"partner set-plan": "it asks API Gateway, which is not here",
}

// scenarios are all commands that talk to the engine, in the order of partnerctl's help. An error:
// there is a command of which nothing is known here.
func (s *stage) scenarios(ctx context.Context) (all []scenario, err error) {
	known := s.known()
	for _, command := range commandsOf(s.partnerctl(ctx, "--help").out) {
		k, there := known[command]
		if _, other := apart[command]; other {
			continue
		}
		if !there {
			return nil, fmt.Errorf("partnerctl has a command %q, which is not tried here", command)
		}
		k.command = command
		all = append(all, k)
	}
	if len(all) != len(known) {
		return nil, fmt.Errorf("%d commands are known here, and partnerctl has %d of them", len(known), len(all))
	}
	return all, nil
}

// commandsOf reads the commands out of partnerctl's help.
func commandsOf(help string) (commands []string) {
	_, list, _ := strings.Cut(help, "\nCommands:\n")
	for line := range strings.Lines(list) {
		name, isOne := strings.CutPrefix(line, "  ")
		if !isOne || strings.HasPrefix(name, " ") {
			continue
		}
		name, _, _ = strings.Cut(name, "  ")
		commands = append(commands, strings.Join(strings.Fields(name), " "))
	}
	return slices.Compact(commands)
}

// known says how each command is tried, on what testdata loads.
func (s *stage) known() map[string]scenario {
	reads := func(args ...string) scenario { return scenario{args: args} }
	writes := func(args ...string) scenario { return scenario{args: args, writes: true} }
	id, data := s.house.ids, s.house.data
	return map[string]scenario{
		"apply":               writes("-f", data("changed.yaml"), "--overwrite"),
		"partner list":        reads(),
		"partner show":        reads("north"),
		"partner suspend":     writes("north", "--yes"),
		"partner resume":      writes("south"),
		"partner delete":      writes("south", "--yes"),
		"grant add":           writes("south", "birch_books"),
		"grant remove":        writes("north", "birch_books", "--yes"),
		"grant list":          reads("--account", "alder_cafe"),
		"key create":          writes("--partner", "north", "--label", "new", "--customer", "alder_cafe=sms"),
		"key list":            reads("--partner", "north"),
		"key show":            reads(id["narrow"]),
		"key narrow":          writes(id["whole"], "--customer", "alder_cafe"),
		"key widen":           writes(id["narrow"], "--customer", "birch_books"),
		"key find":            reads(id["whole"]),
		"key rotate":          writes(id["narrow"], "--overlap", "3d"),
		"key revoke":          writes(id["whole"]),
		"viewer add":          writes("--partner", "north", "--subject", "bob", "--customer", "alder_cafe"),
		"viewer list":         reads("--partner", "north"),
		"viewer show":         reads("--partner", "north", "--subject", "ann"),
		"viewer remove":       writes("--partner", "north", "--subject", "ann"),
		"customer list":       reads(),
		"customer show":       reads("alder_cafe"),
		"customer delete":     writes("cedar_cars", "--with-usage", "--yes"),
		"customer set-credit": writes("alder_cafe", "--remaining", "10.01", "--as-of", "2026-11-20"),
		"price show":          reads("alder_cafe", "sms"),
		"price check":         reads("-f", data("changed.yaml"), "--stored"),
		"price withdraw":      writes("alder_cafe", "sms", "--from", "2026-12-01"),
		"price explain":       reads("alder_cafe", "sms", "--country", "GB", "--segments", "2"),
		"import usage":        writes(data("more.ndjson")),
		"import credit":       writes(data("credit.csv")),
		"import list":         reads(),
		"import show":         reads(s.firstImport()),
		"usage get":           reads("alder_cafe"),
		"usage delete":        writes("alder_cafe", "--product", "sms", "--from", "2026-11-19", "--yes"),
		"usage mend-ids":      writes("--unsure"),
		"history":             reads("--since", "2026-06-01"),
		"totals show":         reads("alder_cafe"),
		"totals check":        reads(),
		"totals rebuild":      writes(),
		"doctor":              reads(),
	}
}

// firstImport is the id of the import that the tables begin with.
func (s *stage) firstImport() string {
	for _, it := range s.house.base["LedgerTable"] {
		pk, _ := it["pk"].(*types.AttributeValueMemberS)
		sk, _ := it["sk"].(*types.AttributeValueMemberS)
		if pk != nil && sk != nil && strings.HasPrefix(pk.Value, "IMPORTS#20") {
			_, id, _ := strings.Cut(sk.Value, "#")
			return id
		}
	}
	return "none"
}
