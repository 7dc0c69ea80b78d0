package dashboard

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

var (
	importLine  = regexp.MustCompile(`(?m)^import \{[^}]*\} from '\./([a-z]+\.js)';\n`)
	exportWord  = regexp.MustCompile(`(?m)^export ((?:async )?(?:const|let|class|function) )`)
	declaration = regexp.MustCompile(`(?m)^(?:async )?(?:const|let|class|function) ([A-Za-z0-9_$]+)`)
	signBlanks  = regexp.MustCompile(` ?([=<>?:,;{}()&|]) ?`)
	otherModule = regexp.MustCompile(`(?m)^(import|export)\b.*`)
)

// bundle joins a module with all those that it imports, directly or not, into one
// script: each module once, after those that it imports. Comments on lines of
// their own, indentation, and most blanks that mean nothing stay behind.
//
// The modules keep to a form in which that is enough: they import by name and do
// not rename, export where they declare, and no two of them declare the same
// name at their top level. What does not is an error.
func bundle(files fs.FS, folder, entry string) ([]byte, error) {
	b := bundler{files: files, folder: folder, done: map[string]bool{}, declared: map[string]string{}}
	if err := b.add(entry, nil); err != nil {
		return nil, err
	}
	return []byte(b.out.String()), nil
}

type bundler struct {
	files    fs.FS
	folder   string
	out      strings.Builder
	done     map[string]bool
	declared map[string]string // name → the module that declares it
}

func (b *bundler) add(name string, importers []string) error {
	for _, importer := range importers {
		if importer == name {
			return fmt.Errorf("%s imports itself, by way of %s", name, strings.Join(importers, ", "))
		}
	}
	if b.done[name] {
		return nil
	}
	text, err := fs.ReadFile(b.files, b.folder+"/"+name)
	if err != nil {
		return err
	}
	source := string(text)
	for _, match := range importLine.FindAllStringSubmatch(source, -1) {
		if err := b.add(match[1], append(importers, name)); err != nil {
			return err
		}
	}
	b.done[name] = true
	source = exportWord.ReplaceAllString(importLine.ReplaceAllString(source, ""), "$1")
	if line := otherModule.FindString(source); line != "" {
		return fmt.Errorf("%s: %q is not of the form that modules have here", name, line)
	}
	for _, match := range declaration.FindAllStringSubmatch(source, -1) {
		if other := b.declared[match[1]]; other != "" {
			return fmt.Errorf("%s and %s both declare %s", other, name, match[1])
		}
		b.declared[match[1]] = name
	}
	for line := range strings.Lines(source) {
		if strings.Count(line, "`")%2 != 0 {
			return fmt.Errorf("%s: a text goes over several lines at %q", name, line)
		}
		line = strings.TrimLeft(line, " \t")
		if line == "\n" || strings.HasPrefix(line, "//") {
			continue
		}
		if !strings.ContainsAny(line, "'\"`/") { // no text, pattern or comment: a blank beside these signs means nothing
			line = signBlanks.ReplaceAllString(line, "$1")
		}
		b.out.WriteString(line)
	}
	return nil
}
