package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/template"
	"partnerview/internal/dynamo"
)

// item is one of a table's.
type item = map[string]types.AttributeValue

// contents are what the tables hold: by the table's logical id, by key.
type contents map[string]map[string]item

// stage has tables of its own in the engine, behind a gate of its own. One trial at a time is
// made on it.
type stage struct {
	house   *house
	folder  string
	suffix  string // of its tables' names
	gate    *gate
	db      *dynamodb.Client // that passes the gate by
	made    *engine.Tables
	tables  []template.Table
	running atomic.Int64 // the process of the command that runs; 0: none does
}

// newStage makes a stage whose tables hold what all begin with.
func (h *house) newStage(ctx context.Context) (_ *stage, err error) {
	s := &stage{house: h, made: engine.NewTables(h.engine.Endpoint)}
	if s.folder, err = os.MkdirTemp(h.folder, "stage-"); err != nil {
		return nil, err
	}
	written, err := template.Read(filepath.Join(h.root, "template.yaml"), nil)
	if err != nil {
		return nil, err
	}
	s.tables = written.Tables
	s.suffix = "-" + rand.Text()
	for i, table := range s.tables {
		s.tables[i].Name = table.ID + s.suffix
	}
	if _, err := s.made.Create(ctx, s.tables); err != nil {
		return nil, err
	}
	s.db, err = dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": h.engine.Endpoint}[name]
	})
	if err != nil {
		return nil, err
	}
	if s.gate, err = newGate(h.engine.Endpoint); err != nil {
		return nil, err
	}
	return s, s.restore(ctx)
}

func (s *stage) end() {
	s.gate.close()
	_ = s.made.Delete() // the engine ends as well
	s.made.Close()
}

// names are the tables' names by their logical ids, as parameters of the template.
func (s *stage) names() map[string]string {
	names := make(map[string]string)
	for _, table := range s.tables {
		names[table.ID] = table.Name
	}
	return names
}

// environment tells partnerctl the tables' names.
func (s *stage) environment() (variables []string) {
	for id, name := range s.names() {
		variables = append(variables, strings.ToUpper(strings.TrimSuffix(id, "Table"))+"_TABLE="+name)
	}
	return variables
}

// contents reads all tables.
func (s *stage) contents(ctx context.Context) (contents, error) {
	all := make(contents)
	for _, table := range s.tables {
		all[table.ID] = make(map[string]item)
		pages := dynamodb.NewScanPaginator(s.db,
			&dynamodb.ScanInput{TableName: &table.Name, ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, it := range page.Items {
				all[table.ID][textOf(keyOf(table, it))] = it
			}
		}
	}
	return all, nil
}

// keyOf is the key of an item.
func keyOf(table template.Table, it item) item {
	key := item{table.Key.Partition: it[table.Key.Partition]}
	if table.Key.Sort != "" {
		key[table.Key.Sort] = it[table.Key.Sort]
	}
	return key
}

// restore brings the tables back to what all begin with.
func (s *stage) restore(ctx context.Context) error {
	there, err := s.contents(ctx)
	if err != nil {
		return err
	}
	for _, table := range s.tables {
		var writes []types.WriteRequest
		for key, it := range s.house.base[table.ID] {
			if is, found := there[table.ID][key]; !found || textOf(is) != textOf(it) {
				writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
			}
		}
		for key, it := range there[table.ID] {
			if _, keep := s.house.base[table.ID][key]; !keep {
				writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: keyOf(table, it)}})
			}
		}
		for batch := range slices.Chunk(writes, 25) {
			in := dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table.Name: batch}}
			if _, err := s.db.BatchWriteItem(ctx, &in); err != nil {
				return err
			}
		}
	}
	return nil
}

// textOf is an item in one spelling: `name="value" …`, by name.
func textOf(it item) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(it)) {
		fmt.Fprintf(&text, "%s=%s ", name, valueOf(it[name]))
	}
	return text.String()
}

func valueOf(value types.AttributeValue) string {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("%x", v.Value)
	case *types.AttributeValueMemberL:
		var words []string
		for _, one := range v.Value {
			words = append(words, valueOf(one))
		}
		return "[" + strings.Join(words, " ") + "]"
	case *types.AttributeValueMemberM:
		return "{" + textOf(v.Value) + "}"
	}
	return fmt.Sprintf("a %T", value)
}
