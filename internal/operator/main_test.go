package operator_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

// now is every test's clock: between the lists of the sample files.
var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, text string) importer.Directory {
	t.Helper()
	d, err := importer.ParseDirectory(strings.NewReader(text), "directory.yaml")
	must(t, err)
	return d
}

// apply brings the tables to what a file says.
func apply(t *testing.T, o *operator.Operator, text string) operator.Plan {
	t.Helper()
	plan := applyPlan(t, o)(o.Plan(t.Context(), parse(t, text), false))
	return plan
}

// applyPlan carries out a plan that was made without an error.
func applyPlan(t *testing.T, o *operator.Operator) func(operator.Plan, error) operator.Plan {
	t.Helper()
	return func(plan operator.Plan, err error) operator.Plan {
		t.Helper()
		must(t, err)
		must(t, o.Apply(t.Context(), plan))
		return plan
	}
}

// load imports a file of usage.
func load(t *testing.T, o *operator.Operator, file string, in operator.UsageImport) operator.UsageCounts {
	t.Helper()
	counts, err := o.ImportUsage(t.Context(), strings.NewReader(file), in)
	must(t, err)
	return counts
}

// userError is the text of an error that is for the operator.
func userError(t *testing.T, err error) string {
	t.Helper()
	told, isOne := errors.AsType[operator.UserError](err)
	if !isOne {
		t.Errorf("got %v, want a UserError", err)
	}
	return string(told)
}

// newProxied is an operator whose calls pass a proxy, and its tables.
func newProxied(t *testing.T) (*operator.Operator, *dynamotest.Proxy, dynamo.Tables) {
	t.Helper()
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	return operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock), proxy, tables
}

func newOperator(t *testing.T) (*operator.Operator, *dynamo.Store) {
	t.Helper()
	s := engine.NewStore(t)
	return operator.New(s, clock), s
}
