package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// The program that openapi-generator is: npm's package only downloads it.
const (
	generatorJar = "node_modules/.openapi-generator/7.23.0.jar"
	generatorSum = "cb087e40001e31eb08ef6140dd5de10938dbeb89016a1fe0481eaa25cd569026" // SHA-256
)

// checkJar refuses a generator that is not the one that was looked at.
func checkJar(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "testdata", "clients", "typescript", generatorJar))
	if err != nil {
		return fmt.Errorf("%w; make clients installs it", err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != generatorSum {
		return fmt.Errorf("%s has another SHA-256 than %s", generatorJar, generatorSum)
	}
	return nil
}

// How many requests schemathesis makes: of each operation in a phase at most, and
// of all with a key, and again without one, at least.
const (
	examples = 500
	cases    = 1500
)

// printed wants the last step to have printed this.
func printed(want string) func(string) error {
	return func(got string) error {
		if got != want {
			return fmt.Errorf("it printed\n%s\nand without a client the product says\n%s", got, want)
		}
		return nil
	}
}

// tried wants schemathesis to have made enough requests.
func tried(output string) error {
	m := regexp.MustCompile(`(\d+) generated`).FindStringSubmatch(output)
	if m == nil {
		return errors.New("it does not say how many cases it generated")
	}
	if n, err := strconv.Atoi(m[1]); err != nil || n < cases {
		return fmt.Errorf("%s cases, want %d or more", m[1], cases)
	}
	return nil
}

// checksOf are all the checks: those that take longest first.
func checksOf(root string, p *product, f facts) []check {
	clients := filepath.Join(root, "testdata", "clients")
	document := filepath.Join(root, "openapi.yaml")
	python := filepath.Join(root, ".tools", "clients", "bin")
	env := []string{
		"PARTNERVIEW_URL=" + p.base, "PARTNERVIEW_KEY=" + p.key, "ACCOUNT=" + account, "FROM=" + f.from, "TO=" + f.to, "RECORD=" + f.record,
		"PATH=" + python + string(os.PathListSeparator) + os.Getenv("PATH"), // openapi-python-client calls ruff
		"REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true",
	}
	in := func(folder string, args ...string) step { return step{filepath.Join(clients, folder), env, args} }
	inTypeScript := func(command string, args ...string) step {
		return in("typescript", append([]string{"node_modules/.bin/" + command}, args...)...)
	}
	schemathesis := func(args ...string) []step {
		return []step{in(".", append([]string{filepath.Join(python, "schemathesis"), "--config-file", "schemathesis.toml", "run", document,
			"--url", p.base, "--max-examples", strconv.Itoa(examples)}, args...)...)}
	}
	return []check{
		{"ogen", []step{
			in(".", "go", "tool", "ogen", "-config", "ogen/ogen.yml", "-target", "ogen/generated", "-package", "generated", "-clean", document),
			in(".", "go", "vet", "./ogen/..."),
			in(".", "go", "run", "./ogen"),
		}, printed(f.text)},
		{"oapi-codegen", []step{
			in(".", "go", "tool", "oapi-codegen", "-config", "oapicodegen/oapi-codegen.yaml", "-o", "oapicodegen/generated/client.gen.go", document),
			in(".", "go", "vet", "./oapicodegen/..."),
			in(".", "go", "run", "./oapicodegen"),
		}, printed(f.text)},
		{"openapi-generator typescript-fetch", []step{
			in("typescript", "java", "-jar", generatorJar, "generate", "-g", "typescript-fetch", "-i", document,
				"-o", "generated/typescript-fetch", "--additional-properties", "importFileExtension=.js"),
			inTypeScript("tsc", "-p", "typescript-fetch.json"),
			in("typescript", "node", "generated/js/typescript-fetch.js"),
		}, printed(f.text)},
		{"openapi-typescript, openapi-fetch", []step{
			inTypeScript("openapi-typescript", document, "-o", "generated/openapi-typescript/schema.d.ts"),
			inTypeScript("tsc", "-p", "openapi-fetch.json"),
			in("typescript", "node", "generated/js/openapi-fetch.js"),
		}, printed(f.text)},
		{"openapi-python-client", []step{
			in("python", filepath.Join(python, "openapi-python-client"), "generate", "--path", document, "--config", "openapi-python-client.yaml",
				"--output-path", "generated", "--meta", "none", "--overwrite", "--fail-on-warning"),
			// What is wrong with the types in the generator's own runtime (client.py) is not the contract's.
			in("python", filepath.Join(python, "mypy"), "--strict", "--follow-imports=silent", "main.py"),
			in("python", filepath.Join(python, "python"), "main.py"),
		}, printed(f.text)},
		{"redocly lint", []step{inTypeScript("redocly", "lint", "--config", "../redocly.yaml", "--max-problems", "20", document)}, nil},
		{"schemathesis, with a key", schemathesis("--header", "Authorization: Bearer "+p.key), tried},
		{"schemathesis, without a key", schemathesis(), tried},
	}
}
