package partnerview_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A reader follows docs/architecture.md from function to function: each that it
// names, as package.Function or package.Type.Method, is there.
func TestTheWalksNameWhatIsThere(t *testing.T) {
	names, packages := declared(t, "internal", "functions", "cmd")
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, span := range regexp.MustCompile("`([a-z]+)((?:\\.\\w+){1,2})`").FindAllStringSubmatch(string(text), -1) {
		if !packages[span[1]] {
			continue // a file's name, or a package that is not ours
		}
		found++
		if name := span[1] + span[2]; !names[name] {
			t.Errorf("docs/architecture.md names %s, which is not there", name)
		}
	}
	if found < 30 {
		t.Errorf("docs/architecture.md names %d functions; three walks have more: is the pattern still right?", found)
	}
}

// declared are the functions, methods, types, variables and constants below
// folders, as package.Name and package.Type.Method, and the packages.
func declared(t *testing.T, folders ...string) (names, packages map[string]bool) {
	t.Helper()
	names, packages = map[string]bool{}, map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			pkg := file.Name.Name
			if pkg == "main" { // a command is called by its folder
				pkg = filepath.Base(filepath.Dir(path))
			}
			packages[pkg] = true
			for _, d := range file.Decls {
				for _, name := range namesOf(d) {
					names[pkg+"."+name] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names, packages
}

func namesOf(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := d.Recv.List[0].Type
		if pointer, ok := receiver.(*ast.StarExpr); ok {
			receiver = pointer.X
		}
		if t, ok := receiver.(*ast.Ident); ok {
			return []string{t.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
				if i, ok := s.Type.(*ast.InterfaceType); ok {
					for _, m := range i.Methods.List {
						for _, n := range m.Names {
							names = append(names, s.Name.Name+"."+n.Name)
						}
					}
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
		return names
	}
	return nil
}
