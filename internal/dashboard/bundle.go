package dashboard

import (
	"fmt"
	"io/fs"
	"strings"
)

// bundle joins a module with all those that it imports, directly or not, into one
// script: each module once, after those that it imports. Comments on lines of
// their own, indentation, and most blanks that mean nothing stay behind.
//
// The modules keep to a form in which that is enough: they import by name and do
// not rename, export where they declare, and no two of them declare the same
// name at their top level. What does not is an error.
//
// It reads each text once, line by line: the function does this at each cold
// start, and regular expressions for the same took it four times a hello-world.
func bundle(files fs.FS, folder, entry string) ([]byte, error) {
	b := bundler{files: files, folder: folder, done: map[string]bool{}, declared: map[string]string{}}
	if err := b.add(entry, nil); err != nil {
		return nil, err
	}
	return b.out, nil
}

type bundler struct {
	files    fs.FS
	folder   string
	out      []byte
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
	var own []byte
	for rest := string(text); rest != ""; {
		if module, after, found := cutImport(rest); found {
			if err := b.add(module, append(importers, name)); err != nil {
				return err
			}
			rest = after
			continue
		}
		end := strings.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		line := rest[:end]
		rest = rest[end:]
		if err := b.declare(name, line); err != nil {
			return err
		}
		if own, err = appendLine(own, strings.TrimPrefix(line, "export ")); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	b.done[name] = true
	b.out = append(b.out, own...)
	return nil
}

// cutImport takes "import { a, b } from './module.js';" off the beginning of a text,
// where it stands there; the braces may go over several lines.
func cutImport(text string) (module, after string, found bool) {
	names, found := strings.CutPrefix(text, "import {")
	if !found {
		return "", text, false
	}
	_, from, found := strings.Cut(names, "} from './")
	if !found {
		return "", text, false
	}
	module, after, found = strings.Cut(from, "';\n")
	if !found || strings.Trim(strings.TrimSuffix(module, ".js"), lowerCase) != "" {
		return "", text, false
	}
	return module, after, true
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz"

// declare notes the name that a line at the top level declares.
func (b *bundler) declare(module, line string) error {
	rest, exported := strings.CutPrefix(line, "export ")
	word, after, _ := strings.Cut(strings.TrimPrefix(rest, "async "), " ")
	declares := word == "const" || word == "let" || word == "class" || word == "function"
	if exported && !declares || hasWord(line, "import") || hasWord(line, "export") && !exported {
		return fmt.Errorf("%s: %q is not of the form that modules have here", module, line)
	}
	if !declares {
		return nil
	}
	name := after[:len(after)-len(strings.TrimLeftFunc(after, isOfName))]
	if other := b.declared[name]; other != "" && name != "" {
		return fmt.Errorf("%s and %s both declare %s", other, module, name)
	}
	b.declared[name] = module
	return nil
}

// hasWord tells whether a line begins with a word, and not with a longer one.
func hasWord(line, word string) bool {
	rest, found := strings.CutPrefix(line, word)
	return found && strings.IndexFunc(rest, isOfName) != 0
}

func isOfName(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '$'
}

// appendLine appends a line without what means nothing in it.
func appendLine(out []byte, line string) ([]byte, error) {
	if strings.Count(line, "`")%2 != 0 {
		return nil, fmt.Errorf("a text goes over several lines at %q", line)
	}
	line = strings.TrimLeft(line, " \t")
	if line == "\n" || strings.HasPrefix(line, "//") {
		return out, nil
	}
	if strings.ContainsAny(line, "'\"`/") {
		return append(out, line...), nil
	}
	// No text, pattern or comment: a blank beside these signs means nothing.
	begin := len(out)
	for i := 0; i < len(line); i++ {
		c := line[i]
		if strings.IndexByte("=<>?:,;{}()&|", c) < 0 {
			out = append(out, c)
			continue
		}
		if len(out) > begin && out[len(out)-1] == ' ' {
			out = out[:len(out)-1]
		}
		out = append(out, c)
		if i+1 < len(line) && line[i+1] == ' ' {
			i++
		}
	}
	return out, nil
}

// squeeze takes out of a style its comments, and the blanks that mean nothing: those
// around braces and semicolons, and after colons and commas. A colon of a selector
// is never followed by one.
func squeeze(style []byte) []byte {
	out := make([]byte, 0, len(style))
	for rest := string(style); rest != ""; {
		if comment, found := strings.CutPrefix(rest, "/*"); found {
			_, rest, _ = strings.Cut(comment, "*/")
			rest = strings.TrimLeft(rest, cssBlanks)
			continue
		}
		next := strings.TrimLeft(rest, cssBlanks)
		blanks := rest[:len(rest)-len(next)]
		if next == "" {
			break
		}
		if len(out) == 0 || strings.IndexByte("{};:,", out[len(out)-1]) < 0 && strings.IndexByte("{};", next[0]) < 0 {
			out = append(out, blanks...)
		}
		if next[0] == '/' && strings.HasPrefix(next, "/*") {
			rest = next
			continue
		}
		if next[0] == '}' && len(out) > 0 && out[len(out)-1] == ';' {
			out = out[:len(out)-1]
		}
		out = append(out, next[0])
		rest = next[1:]
	}
	return out
}

const cssBlanks = " \t\r\n\f"
