package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/testkit/dynamotest"
)

// loaded is an upload, what the tables hold once it is imported without a fault, and by which calls.
type loaded struct {
	upload
	text  []byte
	lines map[string]bool
	calls []string // of DynamoDB, then of S3
}

// learnUpload imports a file without a fault, twice: the first time, the function starts.
func (p *product) learnUpload(ctx context.Context, u upload) (l loaded, err error) {
	l.upload = u
	if l.text, err = os.ReadFile(p.house.data(u.file)); err != nil {
		return l, err
	}
	for range 2 {
		if err := p.restore(ctx); err != nil {
			return l, err
		}
		p.gate.begin()
		p.s3.begin()
		if err := p.receives(ctx, u, l.text); err != nil {
			return l, err
		}
		l.calls, _ = p.gate.end()
		l.calls = append(l.calls, p.s3.end()...)
		all, err := p.contents(ctx)
		if err != nil {
			return l, err
		}
		if l.lines = p.house.lines(all); !imported(all) {
			return l, errors.New("the ledger does not say that the file is imported")
		}
	}
	return l, nil
}

// imported reports whether the ledger says of exactly one import that it is done, beside what was
// there at first.
func imported(all contents) bool {
	done := 0
	for _, it := range all["LedgerTable"] {
		who, _ := it["who"].(*types.AttributeValueMemberS)
		outcome, _ := it["outcome"].(*types.AttributeValueMemberS)
		if who != nil && outcome != nil && strings.Contains(who.Value, "inbox") {
			if outcome.Value != "done" {
				return false
			}
			done++
		}
	}
	return done == 1
}

// uploadTrial is an import with what strikes it.
type uploadTrial struct {
	of      loaded
	strikes []strike
}

// inbox strikes the calls of imports by the inbox, to DynamoDB and to S3.
func (p *proof) inbox(ctx context.Context) error {
	began := time.Now()
	products, end, err := p.house.products(ctx, workers)
	if err != nil {
		return err
	}
	defer end()
	var fast, slow, pairs []uploadTrial
	calls := 0
	for _, u := range uploads() {
		l, err := products[0].learnUpload(ctx, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.file, err)
		}
		calls += len(l.calls)
		for _, call := range l.calls {
			for _, fault := range faultsOf(call) {
				t := uploadTrial{l, []strike{{call: call, fault: fault}}}
				other := l.calls[p.random.IntN(len(l.calls))]
				of := faultsOf(other)
				pairs = append(pairs, uploadTrial{l, []strike{t.strikes[0], {call: other, fault: of[p.random.IntN(len(of))]}}})
				if fault.IsSlow() {
					slow = append(slow, t)
				} else {
					fast = append(fast, t)
				}
			}
		}
	}
	p.shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	p.shuffle(len(slow), func(i, j int) { slow[i], slow[j] = slow[j], slow[i] })
	try := func(p *proof, at *product, t uploadTrial) { at.tryUpload(ctx, p, t) }
	each(ctx, p, products, fast, false, try)
	drawn := each(ctx, p, products, slices.Concat(slow, pairs), true, try)
	p.tally.say(fmt.Sprintf("%d calls, each fault that is quick at each alone; of %d that are slow and %d pairs, %d",
		calls, len(slow), len(pairs), drawn), began)
	return nil
}

// faultsOf are the faults that can strike a call.
func faultsOf(call string) []dynamotest.Fault {
	if strings.HasPrefix(call, "S3 ") {
		return s3Faults()
	}
	return slices.DeleteFunc(dynamotest.Faults(), func(f dynamotest.Fault) bool { return !f.Strikes(strings.Fields(call)[0]) })
}

// tryUpload imports a file with faults. It must be imported all the same: the state machine tries
// again, and the alarm is for what stays.
func (at *product) tryUpload(ctx context.Context, p *proof, t uploadTrial) {
	wrong := func() error {
		if err := at.restore(ctx); err != nil {
			return err
		}
		at.gate.begin(t.strikes...)
		at.s3.begin(t.strikes...)
		err := at.receives(ctx, t.of.upload, t.of.text)
		at.gate.end()
		at.s3.end()
		if err != nil {
			return err
		}
		all, err := at.contents(ctx)
		if err != nil {
			return err
		}
		if !imported(all) {
			return errors.New("the ledger does not say that the file is imported, once")
		}
		return same(t.of.lines, at.house.lines(all))
	}()
	p.tally.add(kindsOf(t.strikes), "right", fmt.Sprintf("%s, %v", t.of.file, t.strikes), wrong)
}
