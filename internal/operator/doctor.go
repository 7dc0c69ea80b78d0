package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// Finding is one thing that was looked at.
type Finding struct {
	Check  string // "reach", "keys", "ttl", "read", "write", "lists", "ids", "totals", "logs", "clock"
	Table  string // its name; empty: it is about none
	Detail string // what was found
	Remedy string // what to do; empty: it is as it should be
}

// OK reports whether there is nothing to remedy.
func (f Finding) OK() bool { return f.Remedy == "" }

// maxSkew is how far our clock may be from the engine's. By it the ends of keys
// and the beginnings of price lists are set, to the minute at best.
const maxSkew = time.Minute

// Examine looks whether the commands can work: whether each table is reached, has
// its keys, indexes and TTL attribute, and may be read and written; and whether
// the clock is right. It changes nothing. An engine on this machine deletes
// nothing by a TTL attribute, and need not have one.
func (o *Operator) Examine(ctx context.Context, local bool) []Finding {
	var findings []Finding
	var last dynamo.Found
	readable := false // totals
	for _, table := range o.store.TableChecks() {
		found, err := table.Describe(ctx)
		if err == nil {
			last = found
		}
		findings = append(findings, reach(table, err))
		if fault.Is(err, fault.Unavailable) || isMissing(err) {
			continue // the rest would say the same
		}
		if err == nil {
			findings = append(findings, shape(table, found))
		}
		if table.Wanted.TTL != "" && !local {
			attribute, err := table.DescribeTTL(ctx)
			findings = append(findings, ttl(table, attribute, err))
		}
		allowed := permissions(ctx, table)
		findings = append(findings, allowed...)
		if table.HoldsPartners() && err == nil && allowed[0].OK() {
			findings = append(findings, o.lists(ctx, table))
		}
		if table.HoldsUsage() && err == nil && allowed[0].OK() { // that it may be read
			findings = append(findings, o.ids(ctx, table))
		}
		if table.HoldsTotals() {
			readable = err == nil && allowed[0].OK()
		}
		if table.HoldsLedger() && readable && err == nil && allowed[0].OK() {
			findings = append(findings, o.totals(ctx, table), o.freshness(ctx, table))
		}
	}
	return append(findings, clock(last))
}

func reach(table dynamo.TableCheck, err error) Finding {
	f := Finding{Check: "reach", Table: table.Name, Detail: "the table answers"}
	switch {
	case err == nil:
	case fault.Is(err, fault.Unavailable):
		f.Detail, f.Remedy = "no answer", "check that the database runs, --endpoint or the region, and the network"
	case isMissing(err):
		f.Detail, f.Remedy = "there is no such table",
			"check its name, --stack, the region and the account; make run or sam deploy make the tables"
	default:
		f.Detail, f.Remedy = "it may not be described",
			"allow dynamodb:DescribeTable on it, or log in as someone who may"
	}
	return f
}

func isMissing(err error) bool { return dynamo.IsMissingTable(err) }

func shape(table dynamo.TableCheck, found dynamo.Found) Finding {
	f := Finding{Check: "keys", Table: table.Name, Detail: "key " + strings.Join(found.Key, ", ")}
	var wrong []string
	if !slices.Equal(found.Key, table.Wanted.Key) {
		wrong = append(wrong,
			fmt.Sprintf("its key is %s, not %s", strings.Join(found.Key, ", "), strings.Join(table.Wanted.Key, ", ")))
	}
	for _, name := range slices.Sorted(maps.Keys(table.Wanted.Indexes)) {
		want := strings.Join(table.Wanted.Indexes[name], ", ")
		has, there := found.Indexes[name]
		switch {
		case !there:
			wrong = append(wrong, fmt.Sprintf("it has no index %s", name))
		case strings.Join(has, ", ") != want:
			wrong = append(wrong,
				fmt.Sprintf("the key of its index %s is %s, not %s", name, strings.Join(has, ", "), want))
		default:
			f.Detail += fmt.Sprintf("; index %s of %s", name, want)
		}
	}
	if len(wrong) > 0 {
		f.Detail, f.Remedy = strings.Join(wrong, "; "),
			"is it another table's name? Else make the table as template.yaml has it"
	}
	return f
}

func ttl(table dynamo.TableCheck, attribute string, err error) Finding {
	f := Finding{Check: "ttl", Table: table.Name, Detail: "items are deleted by " + attribute}
	switch {
	case err != nil:
		f.Detail, f.Remedy = "it may not be read", "allow dynamodb:DescribeTimeToLive on it"
	case attribute != table.Wanted.TTL:
		f.Detail = fmt.Sprintf("items are deleted by %q, not by %s", attribute, table.Wanted.TTL)
		f.Remedy = fmt.Sprintf("aws dynamodb update-time-to-live --table-name %s --time-to-live-specification "+
			"Enabled=true,AttributeName=%s", table.Name, table.Wanted.TTL)
	}
	return f
}

func permissions(ctx context.Context, table dynamo.TableCheck) []Finding {
	noReads, noWrites, err := table.Forbidden(ctx)
	if err != nil {
		return []Finding{{"read", table.Name, "it could not be tried: " + oneLine(err),
			"run partnerctl doctor again; if it stays so, the keys above tell why"}}
	}
	one := func(check string, forbidden []string) Finding {
		f := Finding{Check: check, Table: table.Name, Detail: "allowed"}
		if len(forbidden) > 0 {
			f.Detail = "not allowed: " + strings.Join(forbidden, ", ")
			f.Remedy = "allow " + strings.Join(forbidden,
				", ") + " on the table and its indexes, or log in as someone who may"
		}
		return f
	}
	return []Finding{one("read", noReads), one("write", noWrites)}
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// doctorsRecords is after how many records doctor has seen enough: some seconds, and
// a fraction of a cent.
const doctorsRecords = 100_000

// ids looks whether there are stored ids that contain a number.
func (o *Operator) ids(ctx context.Context, table dynamo.TableCheck) Finding {
	f := Finding{Check: "ids", Table: table.Name}
	counts, err := o.examineIDs(ctx, IDMending{}, doctorsRecords, nil)
	if err != nil {
		f.Detail, f.Remedy = "they could not be looked at: "+oneLine(err),
			"run partnerctl doctor again, or partnerctl usage mend-ids --dry-run, which looks at them alone"
		return f
	}
	n := 0
	for _, log := range counts.Logs {
		n += log.Mended(IDMending{})
	}
	seen := fmt.Sprintf("of %d records", counts.Examined)
	if counts.Examined >= doctorsRecords {
		seen = fmt.Sprintf("of the %d records that were looked at (partnerctl usage mend-ids --dry-run looks at all)",
			counts.Examined)
	}
	f.Detail = "no id contains a number, " + seen
	if n > 0 {
		f.Detail, f.Remedy = fmt.Sprintf("%d ids contain a number, %s", n, seen),
			"partnerctl usage mend-ids gives them ids that do not; --dry-run shows whose they are"
	}
	return f
}

// totals looks whether days are left that nobody counts.
func (o *Operator) totals(ctx context.Context, ledger dynamo.TableCheck) Finding {
	f := Finding{Check: "totals", Table: ledger.Name}
	p, err := o.Pending(ctx)
	empty := false
	if err == nil && !p.Ready {
		empty, err = o.store.UsageIsEmpty(ctx)
	}
	switch {
	case err != nil:
		f.Detail, f.Remedy = "they could not be looked at: "+oneLine(err), "run partnerctl doctor again"
	case !p.Ready && !empty:
		f.Detail = "there was usage before there were totals, and not all of it is counted: no summary is complete"
		f.Remedy = "partnerctl totals rebuild counts it, and says first how much that is"
	case len(p.Open) > 0 && p.Writer == nil:
		f.Detail = fmt.Sprintf("days that are open, and nobody counts: %d (%s)", len(p.Open),
			firstOf(daysText(p.Open)))
		f.Remedy = "whatever writes usage counts them first; if nothing does, partnerctl totals rebuild --account, " +
			"of any of them"
	case len(p.Later) > 0:
		f.Detail = fmt.Sprintf("days that were left for later: %d (%s)", len(p.Later), firstOf(daysText(p.Later)))
		f.Remedy = "partnerctl totals rebuild counts them; with --account, only a customer's"
	case p.Writer != nil:
		f.Detail = fmt.Sprintf("%s (%s) is writing, since %s; open days: %d", p.Writer.What, p.Writer.Where,
			usage.FormatTime(p.Writer.Since), len(p.Open))
	default:
		f.Detail = "no day is pending"
	}
	return f
}

// daysText names days: "acme_retail sms 2026-11-03".
func daysText(days []totals.OpenDay) []string {
	names := make([]string, len(days))
	for i, d := range days {
		names[i] = fmt.Sprintf("%s %s %s", d.Account, d.Product, d.Day)
	}
	return names
}

// lists looks whether keys and people have the lists that bound them, and the lists
// somebody whom they bound. It reads the whole table.
func (o *Operator) lists(ctx context.Context, table dynamo.TableCheck) Finding {
	f := Finding{Check: "lists", Table: table.Name}
	lists, err := o.viewersLists(ctx)
	if err != nil {
		f.Detail, f.Remedy = "they could not be looked at: "+oneLine(err), "run partnerctl doctor again"
		return f
	}
	var empty, nobodys []string
	lost := 0
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		switch l := lists[name]; {
		case !l.counts:
			nobodys = append(nobodys, name)
		case l.customers == 0:
			empty = append(empty, name)
		default:
			lost += l.lost
		}
	}
	f.Detail = fmt.Sprintf("keys and people with a list of their own: %d", len(lists)-len(nobodys))
	if lost > 0 {
		f.Detail += fmt.Sprintf("; customers on them that are not the partner's, and show nothing: %d", lost)
	}
	if len(nobodys) > 0 {
		f.Detail += "; these lists bound nobody, and show nothing: " + firstOf(nobodys)
	}
	if len(empty) > 0 {
		f.Detail += "; these keys see nothing, since their list is empty: " + firstOf(empty)
		f.Remedy = "give them a list with partnerctl key narrow, or end them with key revoke"
	}
	return f
}

// viewersList is how it stands with the list of a key or a person.
type viewersList struct {
	counts    bool // there is a viewer that it bounds
	customers int
	lost      int // of them, those that the partner has not
}

// viewersLists reads all lists, by the names of their viewers: "northwind 4fzyo82mXw3b",
// "northwind auth0|5f2c". Where a key that has no list should have one, it is empty.
func (o *Operator) viewersLists(ctx context.Context) (map[string]viewersList, error) {
	grants, err := o.store.AllGrants(ctx)
	if err != nil {
		return nil, err
	}
	partners, err := o.store.AllPartners(ctx, o.now())
	if err != nil {
		return nil, err
	}
	names := make(map[holder]string) // of viewers that a list bounds
	lists := make(map[string]viewersList)
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for _, partner := range partners {
		group.Go(func() error {
			keys, err := o.store.AccessKeys(ctx, partner.ID)
			if err != nil {
				return err
			}
			people, err := o.store.People(ctx, partner.ID)
			mu.Lock()
			defer mu.Unlock()
			bound := func(id directory.ViewerID, name string, needsList bool) {
				name = string(partner.ID) + " " + name
				names[holder{partner.ID, id}] = name
				if needsList {
					lists[name] = viewersList{counts: true}
				}
			}
			for _, key := range keys {
				if key.Narrowed {
					bound(directory.ViewerID(key.ID), key.ID, o.StateOf(key) == "active")
				}
			}
			for _, person := range people {
				bound(person.ID(), person.Subject, false) // who sees nothing, as may be meant
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	granted := make(map[holder]map[usage.AccountID]bool)
	for _, g := range grants {
		if g.Viewer != "" {
			continue
		}
		of := holder{partner: g.Partner}
		if granted[of] == nil {
			granted[of] = make(map[usage.AccountID]bool)
		}
		granted[of][g.Account] = true
	}
	for _, g := range grants {
		if g.Viewer == "" {
			continue
		}
		name, counts := names[holder{g.Partner, g.Viewer}]
		name = cmp.Or(name, string(g.Partner)+" "+string(g.Viewer))
		l := lists[name]
		l.counts = counts
		l.customers++
		if !granted[holder{partner: g.Partner}][g.Account] {
			l.lost++
		}
		lists[name] = l
	}
	return lists, nil
}

// firstOf lists some names, and how many more there are.
func firstOf(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func clock(found dynamo.Found) Finding {
	f := Finding{Check: "clock"}
	if found.ServerTime.IsZero() {
		f.Detail, f.Remedy = "no table has told the time", "mend the above first"
		return f
	}
	skew := found.AskedAt.Sub(found.ServerTime).Round(time.Second)
	f.Detail = fmt.Sprintf("%s off the database's", skew.Abs())
	if skew.Abs() > maxSkew {
		side := "ahead of"
		if skew < 0 {
			side = "behind"
		}
		f.Detail = fmt.Sprintf("%s %s the database's", skew.Abs(), side)
		f.Remedy = "set this machine's clock: keys would end, and price lists begin, at the wrong time"
	}
	return f
}
