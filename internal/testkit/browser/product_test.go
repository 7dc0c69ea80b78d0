package browser

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"partnerview/internal/dev/local/issuer"
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/testkit/producttest"
)

// productStarter starts products, each on an engine of its own, and ends them all.
type productStarter struct {
	mu      sync.Mutex
	shared  *producttest.Product
	folder  string // of the command
	started []*producttest.Product
	engines []*dynamotest.Engine
}

func (s *productStarter) start(arguments ...string) (*producttest.Product, error) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return nil, err
	}
	if s.folder == "" {
		if s.folder, err = os.MkdirTemp("", "partnerview-browser"); err != nil {
			return nil, err
		}
		if err := producttest.Build(root, s.folder, "local"); err != nil {
			return nil, err
		}
	}
	engine := &dynamotest.Engine{}
	s.engines = append(s.engines, engine)
	endpoint, err := engine.Listen()
	if err != nil {
		return nil, err
	}
	p, err := producttest.Start(root, s.folder, endpoint, arguments...)
	if err == nil {
		s.started = append(s.started, p)
	}
	return p, err
}

func (s *productStarter) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, p := range s.started {
		all = append(all, p.Stop())
	}
	for _, engine := range s.engines {
		engine.Stop()
	}
	return errors.Join(append(all, os.RemoveAll(s.folder))...)
}

// sharedProduct is what `make run` starts, with the sample data.
func sharedProduct(t *testing.T) *producttest.Product {
	t.Helper()
	products.mu.Lock()
	defer products.mu.Unlock()
	if products.shared == nil {
		var err error
		if products.shared, err = products.start(); err != nil {
			t.Fatal(err)
		}
	}
	return products.shared
}

// journeySite is where people's journeys are tested: the product itself, seen by a
// partner of 30 customers, at a customer with all four products whose name looks
// like markup.
func journeySite(t *testing.T) Site {
	t.Helper()
	return siteOf(t, sharedProduct(t), "")
}

func siteOf(t *testing.T, p *producttest.Product, issuerURL string) Site {
	t.Helper()
	return Site{URL: p.BaseURL + "/", Key: p.Key(t, "northwind"), Account: "mueller_soehne", Issuer: issuerURL}
}

// productWithIssuer is another product, whose authorizer takes the tokens of an issuer of
// its own.
func productWithIssuer(t *testing.T) (*gate, Site) {
	t.Helper()
	g := newGate(t)
	var parameters []string
	for name, value := range issuer.Parameters(g.URL) {
		parameters = append(parameters, "--parameter", name+"="+value)
	}
	products.mu.Lock()
	defer products.mu.Unlock()
	p, err := products.start(parameters...)
	if err != nil {
		t.Fatal(err)
	}
	g.lead(t, p.BaseURL+"/")
	return g, siteOf(t, p, g.URL)
}

// operatorOf is who gives out a product's keys, and takes them back.
func operatorOf(t *testing.T, p *producttest.Product) *operator.Operator {
	t.Helper()
	return operator.New(dynamo.NewStore(dynamotest.ClientOf(t, p.DynamodbEndpoint), p.Tables), time.Now)
}
