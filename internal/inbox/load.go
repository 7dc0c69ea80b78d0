package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"partnerview/internal/ledger"
	"partnerview/internal/operator"
)

// loadUsage loads usage for as long as it may, and counts.
func (c *call) loadUsage(ctx context.Context) error {
	var counts operator.UsageCounts
	var rejects rejectList
	begun, loaded := false, false
	err := c.operator().LoadUsage(ctx, operator.UsageImport{
		Format: c.file.format, Account: c.file.account, FromLine: c.Line, MaxUnpacked: maxUnpacked,
		KeepGoing: c.Line > 0, Enough: func() bool { return !c.clock().Before(c.read) },
	}, func(one operator.UsageLoader) error {
		begun = true
		return c.reading(ctx, func(file io.Reader) (err error) {
			counts, err = one(file, rejects.add, nil)
			loaded = err == nil
			return err
		})
	})
	if !begun && ctx.Err() != nil { // days that others had left open took all of the time
		c.Outcome = More
		return nil
	}
	var notCounted *operator.NotCounted
	late := errors.As(err, &notCounted) && ctx.Err() != nil
	if !loaded || err != nil && !late {
		return c.alsoListed(ctx, rejects, counts, err)
	}
	if err := c.addUsage(ctx, counts, rejects); err != nil {
		return err
	}
	switch {
	case counts.NextLine > 0:
		c.Line, c.Outcome = counts.NextLine, More
		return nil
	case late:
		c.Step, c.Outcome = StepCount, Count
		return nil
	}
	return c.end(ctx, Done, nil)
}

// alsoListed adds what a call has come to that ends in an error, which is returned: it is told
// in the result, if the error is of the file.
func (c *call) alsoListed(ctx context.Context, rejects rejectList, counts operator.UsageCounts, err error) error {
	if counts.Read == 0 || !isOfTheFile(err) {
		return err
	}
	if listed := c.addUsage(context.WithoutCancel(ctx), counts, rejects); listed != nil {
		return listed
	}
	return err
}

func (c *call) addUsage(ctx context.Context, counts operator.UsageCounts, rejects rejectList) error {
	sum := operator.UsageCounts{Dropped: map[string]int{}}
	if c.Counts != nil {
		if err := json.Unmarshal(c.Counts, &sum); err != nil {
			return err
		}
	}
	sum.Touched = c.Touched
	sum = sum.Add(counts)
	return c.add(ctx, sum, sum.Touched, rejects)
}

// add takes what all calls have come to into the state, and writes the list of this one's
// rejected lines: under the same key when the call is repeated.
func (c *call) add(ctx context.Context, counts any, touched *operator.Touched, rejects rejectList) (err error) {
	if touched != nil {
		touched.Accounts = touched.Accounts[:min(len(touched.Accounts), maxTouched)]
	}
	c.Touched = touched
	if c.Counts, err = json.Marshal(counts); err != nil {
		return err
	}
	c.Unlisted += rejects.unlisted
	if len(rejects.text) == 0 {
		return nil
	}
	key := listKey(c.State)
	c.Lists = append(c.Lists, key)
	return c.Files.Put(ctx, c.Bucket, key, rejects.text)
}

// loadCredit loads remaining credit, whose days nobody counts: it is short, and read whole.
func (c *call) loadCredit(ctx context.Context) error {
	var counts operator.CreditCounts
	var rejects rejectList
	err := c.reading(ctx, func(file io.Reader) (err error) {
		counts, err = c.operator().ImportCredit(ctx, file, operator.CreditImport{Rejected: rejects.add,
			MaxUnpacked: maxUnpacked})
		return err
	})
	if err == nil || isOfTheFile(err) {
		if listed := c.add(context.WithoutCancel(ctx), counts, counts.Touched, rejects); listed != nil {
			return listed
		}
	}
	if err != nil {
		return err
	}
	return c.end(ctx, Done, nil)
}

// reading lends the file, from its start, and notes what its bytes come to where they are read
// to their end.
func (c *call) reading(ctx context.Context, do func(io.Reader) error) (err error) {
	file, err := c.Files.Open(ctx, c.Bucket, c.Key, c.ETag)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	read := ledger.NewDigest(file)
	err = do(read)
	if sum := read.SHA256(); sum != "" {
		c.SHA256 = sum
	}
	return err
}
