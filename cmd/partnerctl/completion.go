package main

import (
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" name:"SHELL" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionCommand) Help() string {
	return `Put it where the shell reads it at its start:

  bash: partnerctl completion bash > ~/.local/share/bash-completion/completions/partnerctl

  zsh: partnerctl completion zsh > a folder of $fpath, as _partnerctl

  fish: partnerctl completion fish > ~/.config/fish/completions/partnerctl.fish

Example: partnerctl completion bash`
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

// candidates lists what the last of some words may become. None: anything, such
// as a file.
func candidates(app *kong.Application, words []string) []candidate {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "=" }) // bash parts --flag=value so
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
		all = candidatesOf(at.flag.EnumSlice())
	case hasValue && strings.HasPrefix(flag, "-"):
		at.pass(flag)
		if at.flag != nil {
			for _, word := range at.flag.EnumSlice() {
				all = append(all, candidate{word: flag + "=" + word})
			}
		}
	case strings.HasPrefix(typed, "-"):
		all = flagsOf(at.node)
	case len(at.node.Children) > 0:
		for _, child := range at.node.Children {
			all = append(all, candidate{child.Name, child.Help})
		}
	case at.positional < len(at.node.Positional):
		all = candidatesOf(at.node.Positional[at.positional].EnumSlice())
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return c.word == "" || !strings.HasPrefix(c.word, typed) })
}

func candidatesOf(words []string) []candidate {
	all := make([]candidate, len(words))
	for i, word := range words {
		all[i].word = word
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
