package template_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"partnerview/internal/dev/template"
)

func tables(t *template.Template) error {
	type shape struct {
		Key     template.Key
		Indexes []template.Index
		TTL     string
	}
	got := make(map[string]shape)
	var faults []error
	for _, table := range t.Tables {
		got[table.ID] = shape{table.Key, table.Indexes, table.TTL}
		keys := []template.Key{table.Key}
		for _, i := range table.Indexes {
			keys = append(keys, i.Key)
		}
		want := make(map[string]string)
		for _, k := range keys {
			want[k.Partition] = "S"
			if k.Sort != "" {
				want[k.Sort] = "S"
			}
		}
		faults = append(faults, differ(table.ID+": key attributes", want, table.Attributes))
	}
	return errors.Join(append(faults, differ("tables", map[string]shape{
		"PartnersTable": {Key: template.Key{Partition: "pk", Sort: "sk"}, Indexes: []template.Index{
			{Name: "ByName", Key: template.Key{Partition: "pk", Sort: "sortKey"}, Projection: "INCLUDE", Included: []string{"accountId", "name", "products"}},
			{Name: "ByAccount", Key: template.Key{Partition: "accountId", Sort: "pk"}, Projection: "KEYS_ONLY"},
		}},
		"CustomersTable":  {Key: template.Key{Partition: "accountId"}},
		"PriceListsTable": {Key: template.Key{Partition: "log", Sort: "effectiveFrom"}},
		"UsageTable": {Key: template.Key{Partition: "log", Sort: "at"}, TTL: "expiresAt", Indexes: []template.Index{
			{Name: "ById", Key: template.Key{Partition: "byId", Sort: "at"}, Projection: "KEYS_ONLY"},
		}},
	}, got))...)
}

func protection(t *template.Template) error {
	var faults []error
	for _, table := range t.Tables {
		for what, is := range map[string]bool{
			"paid by the request":          table.OnDemand,
			"encrypted":                    table.Encrypted,
			"restorable to a point":        table.PointInTimeRecovery,
			"protected from deletion":      table.DeletionProtected,
			"retained when the stack goes": table.Retained,
		} {
			if !is {
				faults = append(faults, fmt.Errorf("%s is not %s", table.ID, what))
			}
		}
	}
	return errors.Join(faults...)
}

func functions(t *template.Template) error {
	var ids, faults = []string{}, []error{}
	for _, f := range t.Functions {
		ids = append(ids, f.ID)
		faults = append(faults,
			differ(f.ID+": binary", [3]string{"bootstrap", "provided.al2023", "arm64"}, [3]string{f.Handler, f.Runtime, f.Architecture}))
		if !f.Traced {
			faults = append(faults, fmt.Errorf("%s is not traced", f.ID))
		}
		if f.Timeout.Seconds() > 10 {
			faults = append(faults, fmt.Errorf("%s may take %s; a partner gets an answer within 10 s", f.ID, f.Timeout))
		}
		if _, err := os.Stat(filepath.Join(root, f.Folder, "main.go")); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.ID, err))
		}
	}
	makefile, err := os.ReadFile(root + "/Makefile")
	_, list, _ := strings.Cut(string(makefile), "\nFUNCTIONS := ")
	list, _, _ = strings.Cut(list, "\n")
	return errors.Join(append(faults, err, differ("functions in the Makefile", strings.Fields(list), ids))...)
}

func outputs(t *template.Template) error {
	return differ("outputs", map[string]string{
		"ApiUrl":        "https://Api.execute-api.us-east-1.amazonaws.com/v1",
		"PartnersTable": "PartnersTable", "CustomersTable": "CustomersTable",
		"PriceListsTable": "PriceListsTable", "UsageTable": "UsageTable",
	}, t.Outputs)
}
