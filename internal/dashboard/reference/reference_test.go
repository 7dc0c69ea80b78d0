package reference

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"partnerview"
)

var update = flag.Bool("update", false, "write ../web/reference.html anew")

func TestTheServedReferenceIsThatOfOpenAPI(t *testing.T) {
	want, err := Page([]byte(partnerview.OpenAPI()))
	if err != nil {
		t.Fatal(err)
	}
	const path = "../web/reference.html"
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not that of openapi.yaml; write it anew: go test ./internal/dashboard/reference -update", path)
	}
}

func TestTextsOfTheContractAreNotMarkup(t *testing.T) {
	page, err := Page([]byte("openapi: 3.1.1\ninfo: {title: '<b>T', description: 'a `<i>` **<u>** <script>'}\npaths: {/x: {get: {summary: '<img src=x>', responses: {}}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, markup := range []string{"<b>T", "<i>", "<u>", "<script>", "<img src=x>"} {
		if strings.Contains(string(page), markup) {
			t.Errorf("%s came through", markup)
		}
	}
	if want := "<p>a <code>&lt;i&gt;</code> <strong>&lt;u&gt;</strong> &lt;script&gt;</p>"; !strings.Contains(string(page), want) {
		t.Errorf("no %s in the page", want)
	}
}
