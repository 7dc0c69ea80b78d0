package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/testkit/producttest"
)

// product is the whole product with nothing in its tables, and what is done with it. All that
// it emits is put before the watch.
type product struct {
	*producttest.Product
	watch  *watch
	engine *engine.Engine
	folder string // for its programs and files
	key    string // of the partner that sees both customers
}

// directory is who there is. Prices and quantities are such that no amount and no sum has five digits in a row.
const directory = `partners:
- {id: pier, name: Pier, customers: [{accountId: pier_kiosk}, {accountId: quay_market}]}
customers:
- {accountId: pier_kiosk, name: Pier Kiosk, products: [sms, voice, video, messaging], currency: EUR, billingMode: prepaid}
- {accountId: quay_market, name: Quay Market, products: [sms, voice, video, messaging], currency: EUR, billingMode: postpaid}
priceLists:
- {accountId: pier_kiosk, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.01"}, {operator: "26201", unitPrice: "0.02"}]}
- {accountId: pier_kiosk, product: voice, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.60", increment: {first: 1, next: 1}}]}
`

// start starts an engine and the product on it.
func start(ctx context.Context, root string, w *watch) (p *product, err error) {
	p = &product{watch: w}
	if p.folder, err = os.MkdirTemp("", "partnerview-leaks-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	if err := producttest.Build(root, p.folder, "local", "partnerctl"); err != nil {
		return p, err
	}
	if p.engine, err = engine.Start(ctx, root, "", 0); err != nil {
		return p, fmt.Errorf("%w; npm ci brings the engine", err)
	}
	if p.Product, err = producttest.Start(root, p.folder, p.engine.Endpoint, "--empty", "--inbox-pause", "1s"); err != nil {
		return p, err
	}
	if out, code := p.operates(ctx, directory, "apply", "-f", "-"); code != 0 {
		return p, fmt.Errorf("partnerctl apply: exit %d: %s", code, out)
	}
	out, code := p.operates(ctx, "", "key", "create", "--partner", "pier", "--expires", "1h", "--output", "json")
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 {
		return p, fmt.Errorf("partnerctl key create: exit %d: %w", code, err)
	}
	p.key = made.Key
	return p, nil
}

// stop ends what start has started, by their processes, and looks at what they have logged.
func (p *product) stop() error {
	var err error
	if p.Product != nil {
		err = p.Product.Stop()
		p.watch.look("the processes' logs", p.Output.String())
	}
	if p.engine != nil {
		p.engine.Kill()
	}
	return errors.Join(err, os.RemoveAll(p.folder))
}

// operates runs partnerctl, and looks at what it prints.
func (p *product) operates(ctx context.Context, stdin string, arguments ...string) (out string, code int) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(p.folder, "partnerctl"), arguments...)
	cmd.Dir = p.folder
	t := p.Tables
	cmd.Env = append(os.Environ(), "DYNAMODB_ENDPOINT="+p.DynamodbEndpoint, "PARTNERS_TABLE="+t.Partners, "CUSTOMERS_TABLE="+t.Customers,
		"PRICELISTS_TABLE="+t.PriceLists, "USAGE_TABLE="+t.Usage, "TOTALS_TABLE="+t.Totals, "LEDGER_TABLE="+t.Ledger)
	var printed, complained bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &printed, &complained
	if err := cmd.Run(); cmd.ProcessState == nil {
		return err.Error(), -1 // it did not begin
	}
	what := "partnerctl " + strings.Join(arguments[:min(2, len(arguments))], " ")
	p.watch.look(what, printed.String())
	p.watch.look(what+", stderr", complained.String())
	return printed.String() + complained.String(), cmd.ProcessState.ExitCode()
}

// imports loads a file by partnerctl, as text and again as JSON, and looks at the list of
// rejected lines. It returns how many lines were written and rejected.
func (p *product) imports(ctx context.Context, name string, file []byte, command ...string) (written, rejected int, err error) {
	path := filepath.Join(p.folder, name)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return 0, 0, err
	}
	rejects := filepath.Join(p.folder, "rejects.ndjson")
	arguments := append(append([]string{"import"}, command...), "--rejects", rejects, path)
	p.operates(ctx, "", append(arguments, "--dry-run")...)
	out, code := p.operates(ctx, "", append(arguments, "--output", "json")...)
	var counts struct{ Written, Rejected int }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&counts); err != nil || code != 0 && code != 3 {
		return 0, 0, fmt.Errorf("partnerctl import of %s: exit %d: %s", strings.Join(command, " "), code, out)
	}
	if text, err := os.ReadFile(rejects); err == nil {
		p.watch.look("the list of rejected lines of "+strings.Join(command, " "), string(text))
	}
	return counts.Written, counts.Rejected, nil
}

// uploads puts a file into the inbox, waits for its result, and looks at what stands under
// results/. The file's own name is the uploader's, and stands in the keys as it is.
func (p *product) uploads(ctx context.Context, key string, file []byte) (written, rejected int, err error) {
	if _, err := p.fetch(ctx, http.MethodPut, p.InboxURL+"/"+key, bytes.NewReader(file)); err != nil {
		return 0, 0, err
	}
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		a, err := p.fetch(ctx, http.MethodGet, p.InboxURL+"?list-type=2&prefix="+url.QueryEscape("results/"+key), nil)
		if err != nil {
			return 0, 0, err
		}
		var list struct{ Contents []struct{ Key string } }
		if err := xml.Unmarshal([]byte(a.body), &list); err != nil {
			return 0, 0, err
		}
		ended := false
		for _, c := range list.Contents {
			ended = ended || strings.HasSuffix(c.Key, ".json")
		}
		if !ended {
			continue
		}
		for _, c := range list.Contents {
			a, err := p.fetch(ctx, http.MethodGet, p.InboxURL+"/"+(&url.URL{Path: c.Key}).EscapedPath(), nil)
			if err != nil {
				return 0, 0, err
			}
			p.watch.look("results/ of "+strings.Split(key, "/")[0], strings.ReplaceAll(a.body, key, "KEY"))
			var r struct {
				Counts struct{ Written, Rejected int }
			}
			if strings.HasSuffix(c.Key, ".json") && json.Unmarshal([]byte(a.body), &r) == nil {
				written, rejected = r.Counts.Written, r.Counts.Rejected
			}
		}
		return written, rejected, nil
	}
	return 0, 0, fmt.Errorf("the import of %s does not end", key)
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

// fetch sends a request without a key.
func (p *product) fetch(ctx context.Context, method, address string, body io.Reader) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return answer{}, err
	}
	return send(r)
}

func send(r *http.Request) (answer, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// asks sends a request of the API with the partner's key, and looks at all of the answer.
func (p *product) asks(ctx context.Context, path, accept string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.BaseURL+path, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	r.Header.Set("Accept", accept)
	a, err := send(r)
	var head bytes.Buffer
	_ = a.header.Write(&head) // into memory
	route, _, _ := strings.Cut(path, "?")
	where := fmt.Sprintf("GET %s as %s, %d", asASCII(route), accept, a.status)
	p.watch.look(where+", its headers", head.String())
	p.watch.look(where, a.body)
	return a, err
}
