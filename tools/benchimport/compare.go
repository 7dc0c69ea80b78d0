package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/tools/bulk"
)

// compare reads the whole table Usage, and its index, back: every record of the
// load must be in each once, every attribute as the load says, and nothing else.
func (s *stage) compare(ctx context.Context) error {
	table := findings{what: "the table"}
	err := s.scan(ctx, "", func(it map[string]string) {
		number, ok := s.numberOf(it)
		if !ok {
			table.add("is not of the load: %s %s", it["log"], it["at"])
			return
		}
		table.see(number)
		if want := s.bench.load.Attributes(number); !maps.Equal(want, it) {
			table.add("record %d has %s", number, difference(want, it))
		}
	})
	index := findings{what: "the index ById"}
	if err == nil {
		err = s.scan(ctx, "ById", func(it map[string]string) {
			number, ok := s.numberOf(it)
			if want := s.bench.load.Attributes(max(number, 0)); !ok || it["byId"] != want["byId"] || it["at"] != want["at"] {
				index.add("is not of the load: %s", it["byId"])
				return
			}
			index.see(number)
		})
	}
	if err != nil {
		return fmt.Errorf("read the table back: %w", err)
	}
	if err := errors.Join(table.judge(s.bench.load.Records()), index.judge(s.bench.load.Records())); err != nil {
		return err
	}
	fmt.Printf("Read back: %d records, each once, in the table and in its index; every attribute as it must be.\n", s.bench.load.Records())
	return nil
}

func (s *stage) numberOf(it map[string]string) (number int, ok bool) {
	_, id, _ := strings.Cut(it["at"], "#")
	number, ok = bulk.Number(id)
	return number, ok && number < s.bench.load.Records()
}

// scan goes through a table, or an index of it, item by item, each as texts.
func (s *stage) scan(ctx context.Context, index string, item func(map[string]string)) error {
	table := s.tables["UsageTable"]
	in := dynamodb.ScanInput{TableName: &table}
	if index != "" {
		in.IndexName = aws.String(index)
	}
	pages := dynamodb.NewScanPaginator(s.db, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, raw := range page.Items {
			item(textsOf(raw))
		}
	}
	return nil
}

// textsOf is an item as texts; an attribute of the wrong type is told as that.
func textsOf(raw map[string]types.AttributeValue) map[string]string {
	it := make(map[string]string, len(raw))
	for name, value := range raw {
		switch v := value.(type) {
		case *types.AttributeValueMemberN:
			if it[name] = v.Value; !isNumber(name) {
				it[name] = "the number " + v.Value
			}
		case *types.AttributeValueMemberS:
			if it[name] = v.Value; isNumber(name) {
				it[name] = "the text " + v.Value
			}
		default:
			it[name] = fmt.Sprintf("a %T", value)
		}
	}
	return it
}

// findings are what is wrong with a table, the first few of it word by word.
type findings struct {
	what  string
	seen  []uint64 // a bit for each record
	count int
	wrong int
	words []string
}

const maxWords = 5

func (f *findings) see(number int) {
	for len(f.seen) <= number/64 {
		f.seen = append(f.seen, 0)
	}
	bit := uint64(1) << (number % 64)
	if f.seen[number/64]&bit != 0 {
		f.add("record %d is there twice", number)
		return
	}
	f.seen[number/64] |= bit
	f.count++
}

func (f *findings) add(format string, a ...any) {
	if f.wrong++; len(f.words) < maxWords {
		f.words = append(f.words, fmt.Sprintf(format, a...))
	}
}

func (f *findings) judge(records int) error {
	for number := 0; f.count < records && number < records && len(f.words) < maxWords; number++ {
		if number/64 >= len(f.seen) || f.seen[number/64]&(1<<(number%64)) == 0 {
			f.words = append(f.words, fmt.Sprintf("record %d is missing", number))
		}
	}
	if f.wrong == 0 && f.count == records {
		return nil
	}
	return fmt.Errorf("%s has %d of %d records, and %d faults:\n  %s", f.what, f.count, records, f.wrong, strings.Join(f.words, "\n  "))
}

func difference(want, got map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if want[name] != got[name] {
			words = append(words, fmt.Sprintf("%s %q, not %q", name, got[name], want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := got[name]; !there {
			words = append(words, fmt.Sprintf("no %s, want %q", name, want[name]))
		}
	}
	return strings.Join(words, "; ")
}
