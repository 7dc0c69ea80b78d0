package operator_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
)

// second is for the tests that interrupt a command at each of its writes: beside others, an
// engine has one processor.
var engine, second dynamotest.Engine

func TestMain(m *testing.M) {
	code := engine.Run(m)
	second.Stop()
	os.Exit(code)
}

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
	d.Issuer = issuer
	return d
}

// apply brings the tables to what a file says.
func apply(t *testing.T, o *operator.Operator, text string) operator.Plan {
	t.Helper()
	plan, err := o.Plan(t.Context(), parse(t, text), false)
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	return plan
}

func newOperator(t *testing.T) (*operator.Operator, *dynamo.Store) {
	t.Helper()
	s := engine.NewStore(t)
	return operator.New(s, clock), s
}
