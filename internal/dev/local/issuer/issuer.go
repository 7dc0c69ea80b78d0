// Package issuer runs an OpenID provider on this machine, for single sign-on
// without an account anywhere: a Node program around oidc-provider, from the
// repository's node_modules.
//
// It owns that program: its page for signing in, its users and clients, and what
// stands in its tokens. Its keys are made when it starts and go with it. How its
// process lives and ends is the affair of package node. It is for demos and tests:
// passwords are shown on its own page.
package issuer

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"partnerview/internal/dev/local/node"
)

// What the product must be told of every issuer that is started here.
const (
	ClientID = "partnerview-dashboard"
	Audience = "https://partnerview.example/api" // of access tokens, asked for as a resource (RFC 8707)
	Scope    = "openid profile"
)

// Config says for whom tokens are made.
type Config struct {
	Page     string        // the dashboard's address with the slash at its end: where people come back to
	Users    []User        // who may sign in
	Programs []Program     // what gets tokens by the client-credentials grant
	Lifetime time.Duration // of an access token, in whole seconds; 0: five minutes
	URL      string        // under which it is known, where something stands before it; empty: its own
}

// User is a person who signs in.
type User struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Partner  string `json:"partner"` // the claim partner_id
}

// Program is an OAuth2 client without a person.
type Program struct {
	ID      string `json:"id"`
	Secret  string `json:"secret"`
	Partner string `json:"partner"`
}

// Issuer is a running provider.
type Issuer struct {
	*node.Process
	URL string // "http://127.0.0.1:41234": the issuer, as tokens name it
	At  string // where it listens; URL, unless something stands before it
}

//go:embed issuer.mjs
var program string

var (
	errNoNode = errors.New("oidc-provider, the issuer of this machine, needs Node, which is not installed: " +
		"install Node 20 or later, or leave --sso out")
	errNoLibrary = errors.New("oidc-provider, the issuer of this machine, is not installed: " +
		"run npm ci, or leave --sso out")
)

const defaultLifetime = 5 * time.Minute

// Start runs an issuer on a free port and returns when it serves. root is the
// folder of node_modules. ctx bounds the start only.
func Start(ctx context.Context, root string, c Config) (*Issuer, error) {
	pages, err := addresses(c.Page)
	if err != nil {
		return nil, err
	}
	if c.Lifetime == 0 {
		c.Lifetime = defaultLifetime
	}
	options, err := json.Marshal(map[string]any{
		"url": c.URL, "pages": pages, "clientId": ClientID, "audience": Audience,
		"users": append([]User{}, c.Users...), "programs": append([]Program{}, c.Programs...),
		"lifetime": int(c.Lifetime.Seconds()),
	})
	if err != nil {
		return nil, err
	}
	process, err := node.Start(ctx, root, node.Program{
		Name: "the issuer (oidc-provider)", Source: program, Module: true, Args: []string{string(options)},
		NoNode: errNoNode, NoLibrary: errNoLibrary,
	})
	if err != nil {
		return nil, err
	}
	i := &Issuer{Process: process, URL: c.URL, At: process.Line}
	if i.URL == "" {
		i.URL = i.At
	}
	return i, nil
}

// addresses are those under which the page may be opened: people type localhost
// for 127.0.0.1.
func addresses(page string) ([]string, error) {
	at, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	pages := []string{page}
	if at.Hostname() == "127.0.0.1" {
		pages = append(pages, strings.Replace(page, "127.0.0.1", "localhost", 1))
	}
	return pages, nil
}

// Parameters are what template.yaml must be told of an issuer.
func Parameters(issuerURL string) map[string]string {
	return map[string]string{
		"OidcIssuer": issuerURL, "OidcAudience": Audience, "OidcClientId": ClientID, "OidcScope": Scope,
		"OidcAudienceParameter": "resource",
	}
}
