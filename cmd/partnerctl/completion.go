package main

import (
	"context"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

type completionCommand struct {
	Shell string `arg:"" name:"SHELL" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Run(s *session) error {
	_, err := io.WriteString(s.std.out, completionScripts[c.Shell])
	return err
}

// completeWord is what the scripts call partnerctl with: before the words that
// are typed so far, the one to be completed last.
const completeWord = "__complete"

// The scripts ask the program itself, so that they fit whatever it can. Where it
// has nothing to offer, a file is meant.
var completionScripts = map[string]string{
	"bash": `_partnerctl() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("${COMP_WORDS[0]}" ` + completeWord + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _partnerctl partnerctl
`,
	"zsh": `#compdef partnerctl
_partnerctl() {
    local line
    local -a found
    while IFS= read -r line; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done < <("${words[1]}" ` + completeWord + ` "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( $#found )); then
        _describe partnerctl found
    else
        _files
    fi
}
if [ "$funcstack[1]" = _partnerctl ]; then
    _partnerctl "$@"
else
    compdef _partnerctl partnerctl
fi
`,
	"fish": `function __partnerctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (command $words[1] ` + completeWord + ` $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c partnerctl -f -a '(__partnerctl_complete)'
`,
}

// candidate is a word that may stand in the place of the one being typed.
type candidate struct{ word, help string }

// stored lists what the tables have of a kind of value; nil: nothing is known.
type stored func(kind reflect.Type) []candidate

// completionTimeout bounds what a TAB may wait for.
const completionTimeout = 2 * time.Second

// maxStored is how many partners or customers are offered at most.
const maxStored = 1000

// storedWords are partners and customers of the tables that the words lead to, as
// the command itself would be led there. It never asks for anything, and where the
// tables cannot be read in time there is nothing to offer.
func storedWords(ctx context.Context, words []string) stored {
	return func(kind reflect.Type) (found []candidate) {
		ctx, cancel := context.WithTimeout(ctx, completionTimeout)
		defer cancel()
		s := &session{ctx: ctx, std: streams{strings.NewReader(""), io.Discard, io.Discard},
			connection: connectionOf(words)}
		if s.connection.check() != nil {
			return nil
		}
		switch kind {
		case reflect.TypeFor[directory.PartnerID]():
			if o, err := s.operator(partnersTable); err == nil {
				partners, _ := o.ListPartners(ctx)
				for _, p := range partners[:min(len(partners), maxStored)] {
					found = append(found, candidate{string(p.ID), printable(p.Name)})
				}
			}
		case reflect.TypeFor[usage.AccountID]():
			if o, err := s.operator(customersTable); err == nil {
				customers, _ := o.ListCustomers(ctx, directory.NewSearch(""))
				for _, c := range customers[:min(len(customers), maxStored)] {
					found = append(found, candidate{string(c.Account), printable(c.Name)})
				}
			}
		}
		return found
	}
}

// connectionOf is as much of a command line as says where the tables are.
func connectionOf(words []string) (c connection) {
	words = joined(words)
	for i, word := range words {
		name, value, hasValue := strings.Cut(word, "=")
		if !hasValue && i+1 < len(words) {
			value = words[i+1]
		}
		switch name {
		case "--stack":
			c.Stack = value
		case "--endpoint":
			c.Endpoint = value
		}
	}
	_ = c.AfterApply() // what contradicts itself is told when the command is run
	return c
}

// joined leaves out the = at which bash parts --flag=value.
func joined(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "=" })
}

// valuesOf lists what a flag or an argument may have.
func valuesOf(v *kong.Value, stored stored) []candidate {
	kind := v.Target.Type()
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	if kind == reflect.TypeFor[importer.Format]() {
		return candidatesOf(importer.Formats())
	}
	if kind == reflect.TypeFor[importer.Grant]() {
		kind = reflect.TypeFor[usage.AccountID]() // the products are typed behind it
	}
	if v.Enum != "" {
		return candidatesOf(v.EnumSlice())
	}
	return stored(kind)
}

// candidates lists what the last of some words may become. None: anything, such
// as a file.
func candidates(app *kong.Application, words []string, stored stored) []candidate {
	words = joined(words)
	if len(words) == 0 {
		words = []string{""}
	}
	before, typed := words[:len(words)-1], words[len(words)-1]
	at := place{node: app.Node}
	for _, word := range before {
		at.pass(word)
	}
	var all []candidate
	flag, _, hasValue := strings.Cut(typed, "=")
	switch {
	case at.lost:
	case at.flag != nil:
		all = valuesOf(at.flag.Value, stored)
	case hasValue && strings.HasPrefix(flag, "-"):
		at.pass(flag)
		if at.flag != nil {
			for _, c := range valuesOf(at.flag.Value, stored) {
				all = append(all, candidate{flag + "=" + c.word, c.help})
			}
		}
	case strings.HasPrefix(typed, "-"):
		all = flagsOf(at.node)
	case len(at.node.Children) > 0:
		for _, child := range at.node.Children {
			all = append(all, candidate{child.Name, child.Help})
		}
	case len(at.node.Positional) > 0:
		last := at.node.Positional[len(at.node.Positional)-1]
		if at.positional < len(at.node.Positional) {
			all = valuesOf(at.node.Positional[at.positional], stored)
		} else if last.IsCumulative() { // as many as there are
			all = valuesOf(last, stored)
		}
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return c.word == "" || !strings.HasPrefix(c.word, typed) })
}

func candidatesOf[T ~string](words []T) []candidate {
	all := make([]candidate, len(words))
	for i, word := range words {
		all[i].word = string(word)
	}
	return all
}

func flagsOf(node *kong.Node) []candidate {
	var all []candidate
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			all = append(all, candidate{"--" + flag.Name, strings.ReplaceAll(flag.Help, "\n", " ")})
		}
	}
	return all
}

// place is how far a command line is understood.
type place struct {
	node       *kong.Node
	positional int        // arguments of the node that are there
	flag       *kong.Flag // whose value comes next; nil: none
	lost       bool       // a word stands where no such command is
}

func (p *place) pass(word string) {
	if p.flag != nil {
		p.flag = nil
		return
	}
	if strings.HasPrefix(word, "-") {
		name, _, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		for _, group := range p.node.AllFlags(false) {
			for _, flag := range group {
				if (flag.Name == name || flag.Short != 0 && string(flag.Short) == name) && !hasValue && !flag.IsBool() {
					p.flag = flag
				}
			}
		}
		return
	}
	for _, child := range p.node.Children {
		if child.Name == word {
			p.node = child
			return
		}
	}
	p.positional++
	p.lost = len(p.node.Children) > 0
}
