package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeBill has cyclonedx-gomod write what a program is made of, adds the licences, and wants
// it to have all that the program itself says it has.
func writeBill(ctx context.Context, cyclonedx string, p program, modules []module) error {
	text, err := output(ctx, ".", nil, "go", "run", cyclonedx,
		"bin", "-json", "-std", "-noserial", "-notimestamp", "-version", "v0.0.0", p.file)
	if err != nil {
		return err
	}
	var bill map[string]any
	if err := json.Unmarshal([]byte(text), &bill); err != nil {
		return err
	}
	if err := license(bill, p, modules); err != nil {
		return err
	}
	licensed, err := json.MarshalIndent(bill, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bills, p.name+".cdx.json"), append(licensed, '\n'), 0o600)
}

// license adds its licence to each component of a program's bill.
func license(bill map[string]any, p program, modules []module) error {
	of := make(map[string]module) // of this program, by the name that the bill has
	for _, m := range modules {
		for _, name := range m.programs {
			if name == p.name && strings.HasPrefix(m.version, "./") {
				of[m.version] = m
			} else if name == p.name {
				of[m.path] = m
			}
		}
	}
	components, _ := bill["components"].([]any)
	for _, c := range components {
		component, _ := c.(map[string]any)
		name, _ := component["name"].(string)
		m, isLinked := of[name]
		if !isLinked {
			return fmt.Errorf("the bill has %q, and the program does not", name)
		}
		if _, isHashed := component["hashes"]; !isHashed && m.sum != "" {
			return fmt.Errorf("the bill has no hash of %s", name)
		}
		component["licenses"] = []any{map[string]any{"license": map[string]any{"id": m.licence}}}
		delete(of, name)
	}
	var faults []error
	for name := range of {
		faults = append(faults, fmt.Errorf("the bill lacks %s", name))
	}
	return errors.Join(faults...)
}
