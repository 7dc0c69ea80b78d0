package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// TellingID is a stored record whose id may not be kept. Only this package knows
// which it is.
type TellingID struct {
	Touched
	Telling usage.Telling
	key     storedKey
}

type storedKey struct{ at, id string }

// CheckedIDs are the records of one call.
type CheckedIDs struct {
	Records    int // those that were looked at
	Telling    []TellingID
	Unreadable int // those of Records that are no records of this product's form
}

// IDCheck goes through the ids of stored records, call by call.
type IDCheck struct {
	store *Store
	logs  []usage.Log // those that are left; nil: the whole table
	start item
	done  bool
}

// CheckIDs begins to look at the ids of an account's records, or, where it is
// empty, of all that are stored, of accounts too that are no customers. It reads
// all of each record: what that costs grows with them.
func (s *Store) CheckIDs(account usage.AccountID) *IDCheck {
	e := &IDCheck{store: s}
	if account != "" {
		for _, p := range usage.Products() {
			e.logs = append(e.logs, usage.Log{Account: account, Product: p})
		}
	}
	return e
}

// Next looks at up to a megabyte of records, and is false behind the last. It sees
// every write that was answered before. Throttling and broken connections are tried
// again until ctx ends; after an error it may be called again.
func (e *IDCheck) Next(ctx context.Context) (found CheckedIDs, more bool, err error) {
	if e.done {
		return CheckedIDs{}, false, nil
	}
	var items []item
	var last item
	err = retryUnavailable(ctx, func() (err error) {
		items, last, err = e.read(ctx)
		return err
	})
	if err != nil {
		return CheckedIDs{}, false, err
	}
	switch e.start = last; {
	case last != nil:
	case len(e.logs) > 1:
		e.logs = e.logs[1:]
	default:
		e.done = true
	}
	found.Records = len(items)
	for _, it := range items {
		switch id, ok := checkID(it); {
		case !ok:
			found.Unreadable++
		case id.Telling != "":
			found.Telling = append(found.Telling, id)
		}
	}
	return found, true, nil
}

// otherNumbers are the attributes in which another pipeline may have stored a number
// beside those of a record.
var otherNumbers = []string{"contactName", "user_channelUserId"}

var checkedAttributes = projectRecord([]string{"log", "at", "byId"}, func(recordField) bool { return true },
	otherNumbers...)

func (e *IDCheck) read(ctx context.Context) (items []item, last item, err error) {
	const op = "examine the ids of usage"
	if e.logs != nil {
		return e.store.queryPage(ctx, query{
			op: op, table: e.store.tables.Usage, projection: checkedAttributes, condition: "#log = :log",
			values: item{":log": str(e.logs[0].Key())}, start: e.start, consistent: true,
		})
	}
	return e.store.scanPage(ctx, op, e.store.tables.Usage, checkedAttributes, e.start)
}

// checkID judges the id of one record; not ok: it is none.
func checkID(it item) (id TellingID, ok bool) {
	r := reader{item: it}
	log, err := usage.ParseLogKey(r.text("log"))
	if err != nil {
		return TellingID{}, false
	}
	at := r.text("at")
	record, err := decodeVersion(log, it)
	if err != nil {
		return TellingID{}, false
	}
	name := at[len(usage.TimeLayout)+len("#"):]
	var others []string
	for _, attribute := range otherNumbers {
		others = append(others, textsOf(it[attribute])...)
	}
	telling := log.Tells(name, r.text("from"), r.text("to"), others...)
	return TellingID{Touched{log, record.Timestamp}, telling, storedKey{at, name}}, true
}

// textsOf are all texts and numbers in an attribute.
func textsOf(v types.AttributeValue) []string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return []string{v.Value}
	case *types.AttributeValueMemberN:
		return []string{v.Value}
	case *types.AttributeValueMemberSS:
		return v.Value
	case *types.AttributeValueMemberNS:
		return v.Value
	case *types.AttributeValueMemberL:
		var all []string
		for _, of := range v.Value {
			all = append(all, textsOf(of)...)
		}
		return all
	case *types.AttributeValueMemberM:
		var all []string
		for _, of := range v.Value {
			all = append(all, textsOf(of)...)
		}
		return all
	}
	return nil
}

// MendIDs moves up to MaxUsageBatch records of different ids to ids that tell
// nothing, and counts those that were still there: one of WhatsApp's to its hash,
// another to one that newID makes. What is moved is stored as an import would: with
// masked numbers, and nothing but what a record has. Where a record stands at the
// hash already, that stays, with the later outcome of both.
//
// Each is put at its new key before it is deleted at its old one, and the new id
// is first written beside the old, so that to move it again after an interruption
// makes no second one. The same records must not be written by somebody else
// meanwhile.
func (s *Store) MendIDs(ctx context.Context, ids []TellingID,
	newID func() (usage.RecordID, error)) (moved int, err error) {
	if len(ids) > MaxUsageBatch {
		return 0, fmt.Errorf("dynamo: a batch of %d ids; at most %d are taken", len(ids), MaxUsageBatch)
	}
	target := make(map[recordKey]usage.RecordID, len(ids))
	from := make([]recordKey, 0, len(ids))
	for _, id := range ids {
		p := recordKey{id.Log, id.key.at}
		to, err := s.mendedID(ctx, id, newID)
		if err != nil {
			return 0, err
		}
		if to != "" {
			target[p] = to
			from = append(from, p)
		}
	}
	old, err := s.stored(ctx, from, storedAttributes)
	if err != nil {
		return 0, err
	}
	records := make([]usage.Version, 0, len(old))
	to := make([]recordKey, 0, len(old))
	for p, r := range old {
		v := r.Version
		v.ID, v.Raw = target[p], false
		records = append(records, v)
		to = append(to, keyOfRecord(v.Record))
	}
	there, err := s.stored(ctx, to, storedAttributes)
	if err != nil {
		return 0, err
	}
	items := make([]item, len(records))
	for i, v := range records {
		if known, exists := there[to[i]]; exists {
			v = known.Version.Supersede(v)
		}
		items[i] = encodeVersion(v)
	}
	if err := s.putAll(ctx, "move usage", s.tables.Usage, items); err != nil {
		return 0, err
	}
	left := make(map[usage.Log][]item)
	for k := range old {
		left[k.log] = append(left[k.log], k.item())
	}
	for log, keys := range left {
		if err := s.deleteAll(ctx, "delete usage of "+log.Text(), s.tables.Usage, keys); err != nil {
			return moved, err
		}
		moved += len(keys)
	}
	return moved, nil
}

// mendedID is the id that a record gets; empty: it is gone.
func (s *Store) mendedID(ctx context.Context, id TellingID,
	newID func() (usage.RecordID, error)) (usage.RecordID, error) {
	if id.Telling == usage.TellsWhatsApp {
		return id.RecordID(id.key.id)
	}
	fresh, err := newID()
	if err != nil {
		return "", err
	}
	it, err := s.updateLimited(ctx, "move usage", &dynamodb.UpdateItemInput{
		TableName:                 &s.tables.Usage,
		Key:                       recordKey{id.Log, id.key.at}.item(),
		UpdateExpression:          aws.String("SET movedTo = if_not_exists(movedTo, :fresh)"),
		ConditionExpression:       aws.String("attribute_exists(#at)"),
		ExpressionAttributeNames:  map[string]string{"#at": "at"},
		ExpressionAttributeValues: item{":fresh": str(string(fresh))},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if isConditionFailed(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	r := reader{item: it}
	to, err := id.RecordID(r.text("movedTo"))
	if err != nil {
		return "", fault.New(fault.Internal, "move usage", err)
	}
	return to, nil
}
