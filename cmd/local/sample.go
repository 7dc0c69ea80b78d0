package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerview/internal/dev/local"
	"partnerview/internal/dev/sample"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// demoPartner is a partner of the sample data, with a key that was made for it.
type demoPartner struct {
	ID     directory.PartnerID     `json:"id"`
	Status directory.PartnerStatus `json:"status"`
	Plan   directory.Plan          `json:"plan,omitempty"` // where plans are enforced
	Key    string                  `json:"key"`

	first usage.Log // a log that it may see; zero: none
}

// sampleRecords is how many usage records are made where nobody says otherwise.
const sampleRecords = 20_000

// exports are the platform's files in testdata/fixtures, by their format.
var exports = []struct {
	name   string
	format importer.Format
}{
	{"8x8-sms-log.csv", importer.ConnectSMS},
	{"8x8-chatapps-log.csv", importer.ConnectMessaging},
	{"8x8-voice-log.csv", importer.ConnectVoice},
}

// loadSample loads the sample data as of now, the way an operator would load a
// directory and usage, and makes a key for each partner, the suspended ones too. Where there
// is an issuer, some of its people get lists.
// Lines of the exports that are past their retention are left out.
func loadSample(ctx context.Context, stack *local.Stack, root string, now time.Time,
	records int) ([]demoPartner, error) {
	db, err := dynamo.NewClient(stack.Getenv)
	if err != nil {
		return nil, err
	}
	store := dynamo.NewStore(db, dynamo.TablesFromEnv(stack.Getenv))
	o := operator.New(store, func() time.Time { return now })
	file, err := readDirectory(filepath.Join(root, "testdata", "sample", "directory.yaml"), now)
	if err != nil {
		return nil, err
	}
	plan, err := o.Plan(ctx, file, false)
	if err != nil {
		return nil, err
	}
	if err := o.Apply(ctx, plan); err != nil {
		return nil, err
	}
	if err := loadUsage(ctx, o, now, records); err != nil {
		return nil, err
	}
	for _, export := range exports {
		if err := loadExport(ctx, o, filepath.Join(root, "testdata", "fixtures", export.name),
			export.format); err != nil {
			return nil, err
		}
	}
	partners, err := makeKeys(ctx, o, file)
	if err != nil {
		return nil, err
	}
	if stack.Issuer != nil {
		if err := listPeople(ctx, o, store, stack.Issuer.URL, now); err != nil {
			return nil, err
		}
	}
	return partners, setPlans(ctx, store, stack.Plans, partners)
}

// hasUncounted reports whether there is usage that was loaded before there were totals.
func hasUncounted(ctx context.Context, stack *local.Stack) (bool, error) {
	db, err := dynamo.NewClient(stack.Getenv)
	if err != nil {
		return false, err
	}
	store := dynamo.NewStore(db, dynamo.TablesFromEnv(stack.Getenv))
	ready, err := store.TotalsReady(ctx)
	if ready || err != nil {
		return false, err
	}
	empty, err := store.UsageIsEmpty(ctx)
	return !empty, err
}

// setPlans puts the first partner into the smallest plan, the next into the next,
// and so on. Where none are enforced it does nothing. It is not what partnerctl
// partner set-plan does, since that asks API Gateway's control plane.
func setPlans(ctx context.Context, store *dynamo.Store, enforced []string, partners []demoPartner) error {
	for i := range partners {
		if len(enforced) == 0 {
			return nil
		}
		p := &partners[i]
		p.Plan = directory.Plans()[i%len(directory.Plans())]
		at := slices.IndexFunc(enforced, func(id string) bool { return strings.EqualFold(id, string(p.Plan)+"Plan") })
		if at < 0 {
			return fmt.Errorf("the template has no plan %s", p.Plan)
		}
		key := local.PlanKey(enforced[at], string(p.ID))
		if err := store.PutGatewayKey(ctx, p.ID,
			directory.GatewayKey{ID: key, Value: directory.Secret(key)}); err != nil {
			return err
		}
	}
	return nil
}

func readDirectory(path string, now time.Time) (importer.Directory, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return importer.Directory{}, err
	}
	rendered, err := sample.Directory(string(text), now)
	if err != nil {
		return importer.Directory{}, err
	}
	return importer.ParseDirectory(bytes.NewReader(rendered), path)
}

// writeUpload writes a small file of usage as of now, for the inbox, and returns its path.
func writeUpload(root string, now time.Time) (path string, err error) {
	text, err := os.ReadFile(filepath.Join(root, "testdata", "sample", "usage.ndjson"))
	if err != nil {
		return "", err
	}
	rendered, err := sample.Upload(string(text), now)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "partnerview-usage-*.ndjson")
	if err != nil {
		return "", err
	}
	_, err = f.Write(rendered)
	return f.Name(), errors.Join(err, f.Close())
}

// loadUsage loads n generated records while they are generated.
func loadUsage(ctx context.Context, o *operator.Operator, now time.Time, n int) error {
	records, lines := io.Pipe()
	go func() { lines.CloseWithError(sample.Usage(lines, now, n)) }() // ends when the reader does
	defer records.Close()
	counts, err := o.ImportUsage(ctx, records, operator.UsageImport{})
	if err == nil && counts.Rejected > 0 {
		err = fmt.Errorf("%d of %d sample records were rejected", counts.Rejected, counts.Read)
	}
	return err
}

func loadExport(ctx context.Context, o *operator.Operator, path string, format importer.Format) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := o.ImportUsage(ctx, f, operator.UsageImport{Format: format}); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func makeKeys(ctx context.Context, o *operator.Operator, file importer.Directory) ([]demoPartner, error) {
	var partners []demoPartner
	for _, p := range file.Partners {
		key, _, err := o.CreateKey(ctx, p.ID, "demo", operator.Expiry{})
		if err != nil {
			return nil, err
		}
		partners = append(partners,
			demoPartner{ID: p.ID, Status: p.Status.Or(directory.Active), Key: key, first: firstLog(p, file.Customers)})
	}
	return partners, nil
}

// firstLog is the first product of the first customer of a partner's list.
func firstLog(p importer.Partner, customers []importer.Customer) usage.Log {
	for _, grant := range p.Grants.Value {
		for _, c := range customers {
			if c.Account != grant.Account {
				continue
			}
			products := grant.Products
			if len(products) == 0 {
				products = c.Products.Value
			}
			return usage.Log{Account: c.Account, Product: products[0]}
		}
	}
	return usage.Log{}
}
