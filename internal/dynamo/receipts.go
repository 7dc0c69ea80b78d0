package dynamo

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// receiptKey is what a receipt knows its record by.
type receiptKey struct {
	log usage.Log
	id  usage.RecordID
}

// ApplyReceipts brings up to MaxUsageBatch receipts to the records that they are
// of, the newest should several timestamps bear the id. What [usage.Version] has as
// later news counts, whether it is stored or stands in the batch; nothing but the
// outcome is written. missing are the indexes in the batch of those whose record is not
// stored. One that was written within the last second may be missing too: an
// index follows its table.
//
// Throttling and broken connections are tried again until ctx ends. To apply
// receipts again changes nothing.
func (s *Store) ApplyReceipts(ctx context.Context, receipts []usage.Receipt,
	how Writing) (written Written, missing []int, err error) {
	if len(receipts) > MaxUsageBatch {
		return Written{}, nil,
			fmt.Errorf("dynamo: a batch of %d receipts; at most %d are taken", len(receipts), MaxUsageBatch)
	}
	found, err := s.keysOf(ctx, receipts)
	if err != nil {
		return Written{}, nil, err
	}
	var wanted []recordKey
	for _, k := range found {
		wanted = append(wanted, k)
	}
	stored, err := s.stored(ctx, wanted, outcomeAttributes)
	if err != nil {
		return Written{}, nil, err
	}
	after := make(map[recordKey][]usage.Receipt, len(found))
	for i, r := range receipts {
		k, known := found[receiptKey{r.Log, r.ID}]
		if _, exists := stored[k]; !known || !exists {
			missing = append(missing, i)
			continue
		}
		after[k] = append(after[k], r)
	}
	if !how.DryRun {
		var touched []Touched
		for k, of := range after {
			if before := stored[k].Version; !applied(before, of).HasSameOutcome(before) {
				touched = append(touched, Touched{k.log, before.Timestamp})
			}
		}
		if err := how.before(ctx, touched); err != nil {
			return Written{}, nil, err
		}
	}
	for k, of := range after {
		changed, err := s.applyTo(ctx, k, stored[k], of, how.DryRun)
		if err != nil {
			return written, nil, err
		}
		written.Records++
		written.Duplicates += len(of) - 1
		switch {
		case !how.CountChanges:
		case changed:
			written.Changed++
		default:
			written.Unchanged++
		}
	}
	return written, missing, nil
}

// keysOf finds the keys of the receipts' records, one call each: an index has no
// batches.
func (s *Store) keysOf(ctx context.Context, receipts []usage.Receipt) (map[receiptKey]recordKey, error) {
	found := make(map[receiptKey]recordKey, len(receipts))
	asked := make(map[receiptKey]bool, len(receipts))
	for _, r := range receipts {
		key := receiptKey{r.Log, r.ID}
		if asked[key] {
			continue
		}
		asked[key] = true
		var at string
		err := s.limited(ctx, func() (err error) {
			at, err = s.keyByID(ctx, r.Log, r.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
		if at != "" {
			found[key] = recordKey{r.Log, at}
		}
	}
	return found, nil
}

// maxCollisions is how often a record may change between our reading and our
// writing before that is told. Only another import of the same records does it.
const maxCollisions = 10

// applyTo writes the outcome of one record after some receipts, if it is another
// than before: on condition that the record is still as it was read.
func (s *Store) applyTo(ctx context.Context, k recordKey, before storedRecord, receipts []usage.Receipt,
	dry bool) (changed bool, err error) {
	for range maxCollisions {
		next := applied(before.Version, receipts)
		if next.HasSameOutcome(before.Version) {
			return false, nil
		}
		if dry {
			return true, nil
		}
		collided, err := s.updateOutcome(ctx, k, before.item, next)
		if err != nil || !collided {
			return true, err
		}
		stored, err := s.stored(ctx, []recordKey{k}, outcomeAttributes)
		if err != nil {
			return false, err
		}
		var exists bool
		if before, exists = stored[k]; !exists {
			return false, nil // deleted meanwhile: there is nothing left to tell it of
		}
	}
	return false, fault.New(fault.Unavailable, "a record of "+k.log.Text()+" is being written by someone else", nil)
}

// applied is a record after some receipts.
func applied(v usage.Version, receipts []usage.Receipt) usage.Version {
	for _, r := range receipts {
		v = v.ApplyReceipt(r)
	}
	return v
}

// updateOutcome writes an outcome, and nothing else of the record, if the stored
// one is still that of before.
func (s *Store) updateOutcome(ctx context.Context, k recordKey, before item,
	next usage.Version) (collided bool, err error) {
	after := encodeVersion(next)
	names, values := map[string]string{"#log": "log"}, item{}
	conditions := []string{"attribute_exists(#log)"}
	var set, remove []string
	for _, name := range recordNames(isOutcome) {
		names["#"+name] = name
		if v := after[name]; v != nil {
			values[":new_"+name] = v
			set = append(set, "#"+name+" = :new_"+name)
		} else {
			remove = append(remove, "#"+name)
		}
		if v := before[name]; v != nil {
			values[":old_"+name] = v
			conditions = append(conditions, "#"+name+" = :old_"+name)
		} else {
			conditions = append(conditions, "attribute_not_exists(#"+name+")")
		}
	}
	update := "SET " + strings.Join(set, ", ")
	if len(remove) > 0 {
		update += " REMOVE " + strings.Join(remove, ", ")
	}
	_, err = s.updateLimited(ctx, "apply a receipt", &dynamodb.UpdateItemInput{
		TableName:                 &s.tables.Usage,
		Key:                       k.item(),
		UpdateExpression:          &update,
		ConditionExpression:       aws.String(strings.Join(conditions, " AND ")),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	})
	if isConditionFailed(err) {
		return true, nil // or our own write, whose answer was lost: reading again tells
	}
	return false, err
}
