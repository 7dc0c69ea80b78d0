package partnerview_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// layers are the packages from the ground up: each may import only what stands
// in a layer below its own, or below itself in its own folder. Packages of one
// layer do not know each other; a command wires them.
var layers = [][]string{
	{"internal/masking", "internal/money", "internal/fault", "internal/metrics", "internal/spreadsheet"},
	{"internal/usage", "internal/problem"},
	{"internal/directory", "internal/pricing", "internal/dev/template"},
	{"internal/totals", "internal/ledger"},
	{"internal/access", "internal/api", "internal/gateway", "internal/dynamo", "internal/objects", "internal/importer", "internal/dashboard", "internal/dev/local", "internal/dev/sample"},
	{"internal/operator"},
	{"internal/inbox"},
	{"functions", "cmd"},
	{"internal/testkit"},
	{"internal/e2e"},
}

// withAWS are the only packages that know types of AWS's libraries.
var withAWS = []string{"internal/dynamo", "internal/objects", "internal/gateway", "internal/dev/local", "functions", "cmd", "internal/testkit"}

// forTests are imported by tests alone, and may bring siblings together.
var forTests = []string{"internal/testkit", "internal/e2e"}

// inFunctions are the modules that may be linked into a Lambda function. What is
// not here costs every cold start something, and nobody decided that it should.
var inFunctions = []string{
	"github.com/aws/aws-lambda-go", "github.com/awslabs/aws-lambda-go-api-proxy",
	"github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/smithy-go",
	"github.com/aws/aws-sdk-go-v2/internal/configsources", "github.com/aws/aws-sdk-go-v2/internal/endpoints/v2",
	"github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding", "github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery",
	"github.com/shopspring/decimal", "golang.org/x/text", "golang.org/x/sync", "github.com/go-jose/go-jose/v4",
	"go.yaml.in/yaml/v3", // of the importer, which importusage links whole
	// S3's client, and what it brings along, in importusage alone.
	"github.com/aws/aws-sdk-go-v2/service/s3", "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream",
	"github.com/aws/aws-sdk-go-v2/internal/v4a", "github.com/aws/aws-sdk-go-v2/service/internal/checksum",
	"github.com/aws/aws-sdk-go-v2/service/internal/presigned-url", "github.com/aws/aws-sdk-go-v2/service/internal/s3shared",
	// What aws-xray-sdk-go brings along.
	"github.com/aws/aws-xray-sdk-go/v2", "github.com/pkg/errors",
	// What stands in, in unlinked/, for what it would bring along too.
	"github.com/valyala/fasthttp", "google.golang.org/grpc", "google.golang.org/protobuf",
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct{ Path string }
}

func list(t *testing.T, arguments ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard,Module"}, arguments...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

const module = "partnerview"

// inFolder reports whether a package stands in a folder or below it.
func inFolder(path, folder string) bool {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(path, module+"/"), folder)
	return ok && (rest == "" || rest[0] == '/')
}

// layerOf is a package's layer and its folder there; -1 where nobody placed it.
func layerOf(path string) (int, string) {
	for i, layer := range layers {
		for _, folder := range layer {
			if inFolder(path, folder) {
				return i, folder
			}
		}
	}
	return -1, ""
}

func TestDependenciesPointOneWay(t *testing.T) {
	for _, p := range list(t, "./...") {
		if p.ImportPath == module { // the embedded contract: it imports nothing
			continue
		}
		layer, folder := layerOf(p.ImportPath)
		if layer < 0 {
			t.Errorf("%s has no place among the layers: give it one in architecture_test.go", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module+"/") {
				continue
			}
			below, itsFolder := layerOf(imported)
			if below >= layer && itsFolder != folder {
				t.Errorf("%s imports %s, which does not stand below it", p.ImportPath, imported)
			}
			if slices.Contains(forTests, itsFolder) && !slices.Contains(forTests, folder) {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, imported)
			}
		}
	}
}

func TestTypesOfAWSStayInTheirPackages(t *testing.T) {
	for _, p := range list(t, "./...") {
		if slices.ContainsFunc(withAWS, func(folder string) bool { return inFolder(p.ImportPath, folder) }) {
			continue
		}
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "github.com/aws/") || strings.HasPrefix(imported, "github.com/awslabs/") {
				t.Errorf("%s imports %s: only %s may know it", p.ImportPath, imported, strings.Join(withAWS, ", "))
			}
		}
	}
}

func TestFunctionsLinkOnlyWhatWasDecided(t *testing.T) {
	for _, p := range list(t, "-deps", "./functions/...") {
		if p.Standard || p.Module == nil || p.Module.Path == module {
			continue
		}
		if !slices.Contains(inFunctions, p.Module.Path) {
			t.Errorf("a function links %s of %s, which nobody decided on: see docs/decisions/002-dependencies.md", p.ImportPath, p.Module.Path)
		}
	}
}

// majorVersion ends a module's path from its second major version on.
var majorVersion = regexp.MustCompile(`/v[0-9]+$`)

// Each module that we ask for ourselves has a row of its own, by its name: without
// github.com and the major version, and those of the SDK without the SDK's.
func TestEveryDependencyHasASentence(t *testing.T) {
	text, err := os.ReadFile("docs/decisions/002-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not (or .Main .Indirect)}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	modules := strings.Fields(string(out))
	if len(modules) < 10 {
		t.Fatalf("there are %d modules, too few to be all", len(modules))
	}
	for _, path := range modules {
		name := strings.TrimPrefix(path, "github.com/")
		if rest, ofSDK := strings.CutPrefix(name, "aws/aws-sdk-go-v2/"); ofSDK {
			name = rest
		}
		if !strings.Contains(string(text), "`"+name+"`") && !strings.Contains(string(text), "`"+majorVersion.ReplaceAllString(name, "")+"`") {
			t.Errorf("%s has no sentence in docs/decisions/002-dependencies.md", path)
		}
	}
}

// A line of code fits a screen: 120 columns, with a tab of four. Longer may be what
// cannot be broken (a raw text, a struct's tag, an address), and a test, where a row
// of a table is read as a row.
func TestLinesOfCodeFitAScreen(t *testing.T) {
	const columns = 120
	for _, folder := range []string{"cmd", "functions", "internal"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			raw, number := false, 0
			for line := range strings.Lines(string(text)) {
				number++
				ticks := strings.Count(line, "`")
				width := utf8.RuneCountInString(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    "))
				if width > columns && !raw && ticks == 0 && !strings.Contains(line, "://") {
					t.Errorf("%s:%d has %d columns", path, number, width)
				}
				raw = raw != (ticks%2 == 1)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
