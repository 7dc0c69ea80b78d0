package partnerview_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A document that says which test shows a rule is a promise only as long as there
// is such a test.
func TestTestsThatDocumentsNameExist(t *testing.T) {
	exists := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)
	walk(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			exists[m[1]] = true
		}
	})
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	for _, document := range []string{"security.md", "access.md", "privacy.md", "deploy.md", "reliability.md"} {
		text, err := os.ReadFile(filepath.Join("docs", document))
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s names no test", document)
		}
		for _, m := range found {
			if !exists[m[1]] {
				t.Errorf("%s names %s, which does not exist", document, m[1])
			}
		}
	}
}

// A newcomer finds every room on the map: each folder with a package of ours is in
// a row of README's, or below a folder that is.
func TestTheMapNamesEveryRoom(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## The map\n")
	rooms := []string{"functions"} // each of which must be in the drawing, or in a row of its own
	for _, p := range list(t, "./functions/...") {
		if name := strings.TrimPrefix(p.ImportPath, module+"/"); name != "functions" && !strings.Contains(table, " "+name+" ") && !strings.Contains(table, "`"+name+"`") {
			t.Errorf("%s is not in README's drawing", name)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(table, -1) {
		parent := ""
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			room := m[1]
			if !strings.Contains(room, "/") { // `internal/masking`, `money`
				room = path.Join(parent, room)
			}
			parent = path.Dir(room)
			rooms = append(rooms, room)
		}
	}
	for _, p := range list(t, "./...") {
		if p.ImportPath != module && !slices.ContainsFunc(rooms, func(r string) bool { return inFolder(p.ImportPath, r) }) {
			t.Errorf("%s is not on README's map", p.ImportPath)
		}
	}
	for _, room := range rooms {
		if _, err := os.Stat(room); err != nil {
			t.Errorf("README's map names %s, which is not there", room)
		}
	}
}
