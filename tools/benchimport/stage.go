package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/template"
	"partnerview/internal/dynamo"
	"partnerview/tools/bulk"
)

// stage is an engine that keeps its store on disk, with the tables of
// template.yaml, and the customers of the load in them.
type stage struct {
	*bench
	engine *engine.Engine
	store  string
	db     *dynamodb.Client
	tables map[string]string // by logical id
}

// newStage starts an engine on an empty store.
func (b *bench) newStage(ctx context.Context, name string) (*stage, error) {
	s := &stage{bench: b, store: b.path(name), tables: map[string]string{}}
	var err error
	if s.engine, err = engine.Start(ctx, b.root, s.store, 0); err != nil {
		return nil, err
	}
	if err := s.fill(ctx); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (s *stage) fill(ctx context.Context) error {
	written, err := template.Read(filepath.Join(s.root, "template.yaml"), nil)
	if err != nil {
		return err
	}
	for i := range written.Tables {
		table := &written.Tables[i]
		table.Name = "bench-" + table.ID
		s.tables[table.ID] = table.Name
	}
	tables := engine.NewTables(s.engine.Endpoint)
	defer tables.Close()
	if _, err := tables.Create(ctx, written.Tables); err != nil {
		return err
	}
	s.db, err = dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": s.engine.Endpoint}[name]
	})
	if err != nil {
		return err
	}
	out, err := s.partnerctl(ctx, "apply", "-f", s.path("directory.yaml")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("partnerctl apply: %w\n%s", err, out)
	}
	return nil
}

// partnerctl is a command on this stage's tables.
func (s *stage) partnerctl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, cmp.Or(s.binary, s.path("partnerctl")), append(args, "--now", bulk.Now().Format("2006-01-02T15:04:05Z"))...)
	cmd.Dir = s.folder
	cmd.Env = []string{
		"HOME=" + s.folder, "AWS_EC2_METADATA_DISABLED=true", "DYNAMODB_ENDPOINT=" + s.engine.Endpoint,
		"PARTNERS_TABLE=" + s.tables["PartnersTable"], "CUSTOMERS_TABLE=" + s.tables["CustomersTable"],
		"PRICELISTS_TABLE=" + s.tables["PriceListsTable"], "USAGE_TABLE=" + s.tables["UsageTable"],
		"TOTALS_TABLE=" + s.tables["TotalsTable"], "LEDGER_TABLE=" + s.tables["LedgerTable"],
	}
	return cmd
}

// restart kills the engine, as a crash would, and starts it again at the same
// address on the same store.
func (s *stage) restart(ctx context.Context) error {
	s.engine.Kill()
	u, err := url.Parse(s.engine.Endpoint)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return err
	}
	s.engine, err = engine.Start(ctx, s.root, s.store, port)
	return err
}

// end stops the engine, and gives its disk space back.
func (s *stage) end() {
	s.engine.Stop()
	_ = os.RemoveAll(s.store) // what stays is removed with the bench's folder
}
