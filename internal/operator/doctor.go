package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
)

// Finding is one thing that was looked at.
type Finding struct {
	Check  string // "reach", "keys", "ttl", "read", "write", "ids", "clock"
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
		if table.HoldsUsage() && err == nil && allowed[0].OK() { // that it may be read
			findings = append(findings, o.ids(ctx, table))
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
