package dashboard

import (
	"strings"
	"testing"
	"testing/fstest"
)

func modules(texts map[string]string) fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range texts {
		files["m/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestABundleHasEachModuleOnceBehindWhatItImports(t *testing.T) {
	got, err := bundle(modules(map[string]string{
		"main.js": "// Starts.\nimport { b } from './b.js';\nimport {\n  c,\n  d,\n} from './c.js';\n\nb(c,\n  d);\n",
		"b.js":    "import { c } from './c.js';\nexport function b() {\n  // says c\n  return c;\n}\n",
		"c.js":    "export const c = 1;\nexport async function d() {}\n",
	}), "m", "main.js")
	if err != nil {
		t.Fatal(err)
	}
	want := "const c=1;\nasync function d(){}\nfunction b(){\nreturn c;\n}\nb(c,\nd);\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestABundleLeavesTextsAndPatternsAlone(t *testing.T) {
	const text = "const a = 'x ,  y';\nconst b = `( ${ a } )`;\nconst c = / = /;\n"
	got, err := bundle(modules(map[string]string{"main.js": text}), "m", "main.js")
	if err != nil || string(got) != text {
		t.Errorf("%q (%v)", got, err)
	}
}

func TestABundleRefusesWhatItWouldBreak(t *testing.T) {
	for name, c := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"a name declared twice":      {map[string]string{"main.js": "import { a } from './a.js';\nconst x = a;\n", "a.js": "export const a = 1;\nlet x;\n"}, "both declare x"},
		"a renaming import":          {map[string]string{"main.js": "import * as a from './a.js';\n", "a.js": ""}, "not of the form"},
		"a default export":           {map[string]string{"main.js": "export default 1;\n"}, "not of the form"},
		"an export of a list":        {map[string]string{"main.js": "const a = 1;\nexport { a };\n"}, "not of the form"},
		"a foreign module":           {map[string]string{"main.js": "import { a } from 'https://example.com/a.js';\n"}, "not of the form"},
		"a text of several lines":    {map[string]string{"main.js": "const a = `x\n  y`;\n"}, "several lines"},
		"a circle":                   {map[string]string{"main.js": "import { a } from './a.js';\n", "a.js": "import { m } from './main.js';\nexport const a = 1;\n"}, "imports itself"},
		"a module that is not there": {map[string]string{"main.js": "import { a } from './a.js';\n"}, "a.js"},
	} {
		_, err := bundle(modules(c.texts), "m", "main.js")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSqueezedStylesMeanTheSame(t *testing.T) {
	got := string(squeeze([]byte("/* a\n b */\na :is(b, c) > d::before {\n  color: red;\n  margin: 0 calc(1px + 2px);\n}\n\n@media (max-width: 1px) { e { f: g } }\n")))
	want := "a :is(b,c) > d::before{color:red;margin:0 calc(1px + 2px)}@media (max-width:1px){e{f:g}}"
	if got != want {
		t.Errorf("got %s", got)
	}
}
