package dynamo_test

import (
	"os"
	"testing"

	"partnerview/internal/dynamo/dynamotest"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }
