// Bundle makes of the page's modules and style sheets the files that are served: one
// script and two styles, minified.
//
//	go generate ./internal/dashboard
//
// What it makes is checked in, so that esbuild is linked into no function, and a cold
// start neither reads nor joins sources.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := generate("web"); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func generate(folder string) error {
	files, err := bundle(folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.WriteFile(file.Path, file.Contents, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// bundle builds the served files of a folder, each with its path, and writes none.
func bundle(folder string) ([]api.OutputFile, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	built := api.Build(api.BuildOptions{
		AbsWorkingDir: folder,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "main.js", OutputPath: "script"},
			{InputPath: "style.css", OutputPath: "style"},
			{InputPath: "reference.css", OutputPath: "reference"},
		},
		Outdir:            "bundled",
		Bundle:            true,
		Format:            api.FormatESModule,
		Target:            api.ES2023, // what browsers of 2024 know
		Charset:           api.CharsetUTF8,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
	})
	// A warning, of a name that is nowhere declared or a rule that cannot hold, is a mistake too.
	if messages := append(built.Errors, built.Warnings...); len(messages) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(messages, api.FormatMessagesOptions{}), ""))
	}
	return built.OutputFiles, nil
}
