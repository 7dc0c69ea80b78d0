package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"partnerview/internal/dev/sample"
	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// loaded is what the product was loaded with, read anew from the files: what
// the tests hold its answers against.
type loaded struct {
	directory importer.Directory
	records   map[usage.Log]map[string]usage.Record // by Position.String()
	lists     map[usage.Log][]pricing.List
}

var readLoaded = sync.OnceValues(func() (*loaded, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "testdata/sample/directory.yaml"))
	if err != nil {
		return nil, err
	}
	rendered, err := sample.Directory(string(text), clock)
	if err != nil {
		return nil, err
	}
	l := &loaded{records: map[usage.Log]map[string]usage.Record{}, lists: map[usage.Log][]pricing.List{}}
	if l.directory, err = importer.ParseDirectory(bytes.NewReader(rendered), "directory.yaml"); err != nil {
		return nil, err
	}
	accounts := map[string]usage.AccountID{}
	for _, c := range l.directory.Customers {
		accounts[string(c.Account)] = c.Account
		for _, sub := range c.SubAccounts.Value {
			accounts[sub.Name] = c.Account
		}
	}
	for _, p := range l.directory.PriceLists {
		l.lists[p.Log] = append(l.lists[p.Log], p.List)
	}
	var native bytes.Buffer
	if err := sample.Usage(&native, clock, 20_000); err != nil {
		return nil, err
	}
	if err := l.read(&native, importer.Native, accounts); err != nil {
		return nil, err
	}
	for name, format := range map[string]importer.Format{"8x8-sms-log.csv": importer.ConnectSMS, "8x8-chatapps-log.csv": importer.ConnectMessaging, "8x8-voice-log.csv": importer.ConnectVoice} {
		source, err := os.ReadFile(filepath.Join(root, "testdata/fixtures", name))
		if err != nil {
			return nil, err
		}
		if err := l.read(bytes.NewBuffer(source), format, accounts); err != nil {
			return nil, err
		}
	}
	return l, nil
})

func (l *loaded) read(source *bytes.Buffer, format importer.Format, accounts map[string]usage.AccountID) error {
	options := importer.Options{Now: clock, Accounts: func(name string) (usage.AccountID, bool) {
		account, ok := accounts[name]
		return account, ok
	}}
	for row, err := range importer.ReadUsage(source, format, options) {
		if err != nil {
			return err
		}
		if row.Rejected != nil {
			continue
		}
		log := row.Record.Log
		if l.records[log] == nil {
			l.records[log] = map[string]usage.Record{}
		}
		l.records[log][row.Record.Position().String()] = row.Record
	}
	return nil
}

func load(t testing.TB) *loaded {
	t.Helper()
	l, err := readLoaded()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// grantsOfSample is partner → accounts, by the directory file.
func grantsOfSample(t testing.TB) map[string]map[string]bool {
	t.Helper()
	grants := map[string]map[string]bool{}
	for _, p := range load(t).directory.Partners {
		accounts := map[string]bool{}
		for _, g := range p.Grants.Value {
			accounts[string(g.Account)] = true
		}
		grants[string(p.ID)] = accounts
	}
	return grants
}

// viewerOf is a partner that sees the whole of a log.
func viewerOf(t testing.TB, log usage.Log) string {
	t.Helper()
	for _, p := range load(t).directory.Partners {
		if p.Status.Value == directory.Suspended {
			continue
		}
		for _, g := range p.Grants.Value {
			if g.Account == log.Account && (len(g.Products) == 0 || slices.Contains(g.Products, log.Product)) {
				return string(p.ID)
			}
		}
	}
	return ""
}

// inOrder is a log's positions, oldest first.
func inOrder(records map[string]usage.Record) []string {
	var places []string
	for place := range records {
		places = append(places, place)
	}
	slices.SortFunc(places, strings.Compare)
	return places
}
