package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"partnerview/internal/dev/local/lambda"
)

// side is a bootstrap binary that is measured: a function of ours, or what it is
// measured against.
type side struct {
	name    string
	run     string    // path of the binary
	payload []byte    // an event that it answers well
	env     variables // of its own, beside what all have
	starts  []start
	binary  int64 // bytes
	zipped  int64 // bytes of what is deployed
}

// What our functions are measured against; measured as every other. Between the hello-world
// and the floor, which has all packages that the owner named, stand rungs with some of them.
const (
	helloName    = "hello"
	floorName    = "floor"
	apiProxyName = "api-proxy"
	sdkName      = "sdk"
)

// yardsticks are where the sources of those are, from the module tools.
var yardsticks = map[string]string{
	helloName: "bench/testdata/hello", apiProxyName: "bench/rungs/api-proxy", sdkName: "bench/rungs/sdk", floorName: "bench/floor",
}

// measured are all sides, in the order in which they take turns.
var measured = []string{
	helloName, floorName, apiProxyName, sdkName,
	"authorizer", "listcustomers", "getcustomer", "getme", "getsummary", "getusage", "dashboard",
}

// build compiles the yardsticks and the functions behind the API, in the order of measured,
// with the flags that are deployed, into a folder.
func build(ctx context.Context, folder, key string) ([]*side, error) {
	var built []*side
	for _, name := range measured {
		f := &side{name: name, run: filepath.Join(folder, name)}
		module, source := ".", "functions/"+name
		if folder, isOne := yardsticks[name]; isOne {
			module, source = "tools", folder
		}
		event, err := eventOf(name)
		if err != nil {
			return nil, err
		}
		f.payload = []byte(strings.ReplaceAll(string(event), "KEY_OF_PARTNER", key))
		if err := f.build(ctx, module, source); err != nil {
			return nil, err
		}
		built = append(built, f)
	}
	return built, nil
}

// build compiles a side from a module's folder to where it is run from.
func (f *side) build(ctx context.Context, module, source string) error {
	linked := f.run + ".linked"
	if err := lambda.Build(ctx, module, source, linked); err != nil {
		return err
	}
	code, err := os.ReadFile(linked)
	if err != nil {
		return err
	}
	// Written in one piece: how a linker's output came into the page cache
	// shows in how fast it starts.
	if err := os.WriteFile(f.run, code, 0o700); err != nil {
		return err
	}
	f.binary = int64(len(code))
	return nil
}

// zip tells how large a side is as it is deployed.
func (f *side) zip() error {
	code, err := os.ReadFile(f.run)
	if err != nil {
		return err
	}
	f.zipped, err = zipSize(code)
	return err
}

// buildBeside compiles the same function of another checkout.
func buildBeside(ctx context.Context, f *side, checkout string) (*side, error) {
	other := &side{name: f.name + " beside", run: f.run + ".beside", payload: f.payload, env: f.env}
	return other, other.build(ctx, checkout, "functions/"+f.name)
}

// zipSize is how large a deployed function is.
func zipSize(code []byte) (int64, error) {
	var n counter
	z := zip.NewWriter(&n)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	w, err := z.Create("bootstrap")
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(code); err != nil {
		return 0, err
	}
	err = z.Close()
	return int64(n), err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// eventOf is a function's recorded event, asking for a plain page.
func eventOf(function string) ([]byte, error) {
	if yardsticks[function] != "" {
		function = "getcustomer"
	}
	if function == "dashboard" {
		return json.Marshal(item{"resource": "/", "path": "/", "httpMethod": "GET", "requestContext": item{"requestId": "bench", "path": "/v1/", "stage": "v1"}})
	}
	file := "event.json"
	if function == "getsummary" {
		file = "customer-event.json" // of one customer: of all it is a hundred calls, and no start
	}
	recorded, err := os.ReadFile("functions/" + function + "/testdata/" + file)
	if err != nil {
		return nil, err
	}
	var event item
	if err := json.Unmarshal(recorded, &event); err != nil {
		return nil, fmt.Errorf("the recorded event of %s: %w", function, err)
	}
	query := item{}
	switch function {
	case "getusage":
		query["limit"] = []string{fmt.Sprint(firstPage)}
	case "getsummary":
		query["from"], query["to"] = []string{"2026-11-01"}, []string{"2026-11-04"}
	}
	event["multiValueQueryStringParameters"] = query
	delete(event, "queryStringParameters")
	if function == "authorizer" {
		event["multiValueHeaders"] = item{"Authorization": []string{"Bearer KEY_OF_PARTNER"}}
	}
	return json.Marshal(event)
}

// variables are a process's environment, as NAME=value.
type variables []string

func (v variables) get(name string) string {
	i := slices.IndexFunc(v, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	if i < 0 {
		return ""
	}
	return v[i][len(name)+1:]
}

// ofLargestPage is getusage asked for the most records that a page may hold, by a
// DynamoDB at an address that has them.
func ofLargestPage(getusage *side, address string) *side {
	f := *getusage
	f.name = fmt.Sprintf("getusage of %d", largestPage)
	f.payload = bytes.Replace(f.payload, []byte(fmt.Sprintf(`"limit":["%d"]`, firstPage)), []byte(fmt.Sprintf(`"limit":["%d"]`, largestPage)), 1)
	f.env = variables{"AWS_ENDPOINT_URL_DYNAMODB=" + address}
	return &f
}

// gcPercent is GOGC of template.yaml; here it is that of the floors too.
const gcPercent = 400

// environment is what template.yaml and Lambda set, with DynamoDB at an
// endpoint of ours; "" is Amazon's, which nothing here ever asks.
func environment(endpoint string) variables {
	v := variables{
		"PARTNERS_TABLE=" + names.Partners, "CUSTOMERS_TABLE=" + names.Customers,
		"PRICELISTS_TABLE=" + names.PriceLists, "USAGE_TABLE=" + names.Usage, "TOTALS_TABLE=" + names.Totals,
		"GOGC=" + strconv.Itoa(gcPercent),
		"AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
		"AWS_SESSION_TOKEN=" + strings.Repeat("bench", 100), // as long as a role's
		"_HANDLER=bootstrap", "LANG=en_US.UTF-8", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
	}
	if endpoint != "" {
		v = append(v, "AWS_ENDPOINT_URL_DYNAMODB="+endpoint)
	}
	return v
}
