package dynamotest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestAnEngineThatRunsAlreadyIsTheTests(t *testing.T) {
	const elsewhere = "http://127.0.0.1:1"
	t.Setenv(endpointVariable, elsewhere)
	shared := new(Engine)
	if got := shared.Endpoint(t); got != elsewhere {
		t.Errorf("the tests' engine is %s, and %s is named", got, elsewhere)
	}
	shared.Stop()
}

func TestATestThatStopsItsEngineHasOneOfItsOwn(t *testing.T) {
	const elsewhere = "http://127.0.0.1:1"
	t.Setenv(endpointVariable, elsewhere)
	own := Start(t)
	before := own.Endpoint(t)
	own.Stop()
	own.Restart(t)
	if after := own.Endpoint(t); before == elsewhere || after != before {
		t.Errorf("an engine to be stopped is %s, and then %s", before, after)
	}
}

func TestTablesInAnEngineThatGoesOnAreDeletedWithTheirTest(t *testing.T) {
	own := Start(t)
	t.Setenv(endpointVariable, own.Endpoint(t))
	shared := new(Engine)
	tables := func() []string {
		out, err := shared.Client(t).ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.TableNames
	}
	t.Run("a test", func(t *testing.T) {
		shared.NewTables(t)
		if n := len(tables()); n != 6 {
			t.Errorf("%d tables are made, want 6", n)
		}
	})
	if left := tables(); len(left) != 0 {
		t.Errorf("behind the test there are still %q", left)
	}
}

func TestDynaliteChargesForWhatIsNotThereAsAWSDoes(t *testing.T) {
	t.Setenv(endpointVariable, "")
	var shared Engine
	t.Cleanup(shared.Stop)
	if !shared.ChargesForWhatIsNotThere(t, shared.NewTables(t)) {
		t.Error("it does not: tests that compare units would compare none")
	}
}
