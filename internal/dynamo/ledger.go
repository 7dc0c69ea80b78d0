package dynamo

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/fault"
	"partnerview/internal/ledger"
	"partnerview/internal/usage"
)

// The ledger's diaries: what was imported, and what the operator changed. Of each a partition
// a month, whose items stand in the order of time.

const (
	importsPrefix = "IMPORTS#"
	bytesPrefix   = importsPrefix + "SHA#"
	lastName      = "LAST"
)

// diaryKey is where something stands that began at a time.
func diaryKey(prefix string, at time.Time, id string) item {
	return item{"pk": str(prefix + monthName(at)), "sk": str(usage.FormatTime(at) + "#" + id)}
}

func monthName(t time.Time) string { return t.UTC().Format("2006-01") }

// keptUntil is when DynamoDB may delete what began at a time.
func keptUntil(at time.Time) time.Time { return at.AddDate(0, 0, ledger.KeptDays) }

func bytesKey(sha256 string) item { return item{"pk": str(bytesPrefix + sha256), "sk": str(lastName)} }

var (
	importAttributes = project("pk", "sk", "who", "source", "sha256", "bytes", "kind", "format", "fromTime", "toTime",
		"counts", "accounts", "accountCount", "endedAt", "outcome", "error", "expiresAt")
	lastAttributes = project("pk", "sk", "startedAt", "id")
)

// PutImport writes what is said of an import in place of what was said before, by its start
// and its id. Of one that is loaded, LoadedBefore tells from then on, unless a later one of the
// same bytes is.
func (s *Store) PutImport(ctx context.Context, i ledger.Import) error {
	if err := s.put(ctx, "note import "+i.ID, s.tables.Ledger, encodeImport(i)); err != nil {
		return err
	}
	if !i.Outcome.Loaded() || i.SHA256 == "" {
		return nil
	}
	_, err := s.update(ctx, "note the bytes of import "+i.ID, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Ledger, Key: bytesKey(i.SHA256),
		UpdateExpression:         aws.String("SET startedAt = :at, #id = :id, expiresAt = :end"),
		ConditionExpression:      aws.String("attribute_not_exists(pk) OR startedAt <= :at"),
		ExpressionAttributeNames: map[string]string{"#id": "id"},
		ExpressionAttributeValues: item{":at": str(usage.FormatTime(i.Started)), ":id": str(i.ID),
			":end": num(keptUntil(i.Started).Unix())},
	})
	if isConditionFailed(err) {
		return nil
	}
	return err
}

// LastImport reads the newest import by which the same bytes were loaded, of which something is
// still kept. NotFound: there is none.
func (s *Store) LastImport(ctx context.Context, sha256 string, now time.Time) (last ledger.Import, err error) {
	err = retryUnavailable(ctx, func() (err error) {
		last, err = s.lastImport(ctx, sha256, now)
		return err
	})
	return last, err
}

// lastImport makes one attempt.
func (s *Store) lastImport(ctx context.Context, sha256 string, now time.Time) (ledger.Import, error) {
	const op = "import of the same bytes"
	it, err := s.getConsistent(ctx, op, s.tables.Ledger, bytesKey(sha256), lastAttributes)
	if err != nil {
		return ledger.Import{}, err
	}
	r := reader{item: it}
	at, id := r.time("startedAt"), r.required("id")
	if r.err != nil {
		return ledger.Import{}, badItem("ledger", bytesPrefix+sha256, r.err)
	}
	it, err = s.getConsistent(ctx, op, s.tables.Ledger, diaryKey(importsPrefix, at, id), importAttributes)
	if err != nil {
		return ledger.Import{}, err
	}
	if isOver(it, now) {
		return ledger.Import{}, fault.New(fault.NotFound, op, nil)
	}
	return decodeImport(it)
}

// isOver reports whether an item is past its time, and only not deleted yet.
func isOver(it item, now time.Time) bool {
	r := reader{item: it}
	end := r.seconds("expiresAt")
	return !end.IsZero() && !now.Before(end)
}

// Imports reads what is kept of the imports since a time, the newest first.
func (s *Store) Imports(ctx context.Context, since, now time.Time) iter.Seq2[ledger.Import, error] {
	return diary(ctx, s, importsPrefix, importAttributes, since, now, decodeImport)
}

// diary reads the items of a kind since a time, the newest first, month by month and page by
// page: as far as the caller goes on. An error ends it.
func diary[T any](ctx context.Context, s *Store, prefix string, p projection, since, now time.Time,
	decode func(item) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if oldest := now.AddDate(0, 0, -ledger.KeptDays); since.Before(oldest) {
			since = oldest
		}
		first := firstOfMonth(since)
		// One whose clock is ahead may be in the month that is next.
		for month := firstOfMonth(now.Add(24 * time.Hour)); !month.Before(first); month = month.AddDate(0, -1, 0) {
			q := query{op: "ledger of " + monthName(month), table: s.tables.Ledger, projection: p,
				condition: "#pk = :pk AND #sk >= :since", newestFirst: true, consistent: true,
				values: item{":pk": str(prefix + monthName(month)), ":since": str(usage.FormatTime(since))}}
			for {
				items, last, err := s.queryPage(ctx, q)
				if err != nil {
					yield(none, err)
					return
				}
				for _, it := range items {
					if isOver(it, now) {
						continue
					}
					if one, err := decode(it); !yield(one, err) || err != nil {
						return
					}
				}
				if q.start = last; last == nil {
					break
				}
			}
		}
	}
}

func firstOfMonth(t time.Time) time.Time {
	year, month, _ := t.UTC().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

func encodeImport(i ledger.Import) item {
	it := diaryKey(importsPrefix, i.Started, i.ID)
	putText(it, "who", i.Who)
	putText(it, "source", i.Source)
	putText(it, "sha256", i.SHA256)
	it["bytes"], it["accountCount"] = num(i.Bytes), num(int64(max(i.AccountCount, len(i.Accounts))))
	it["kind"], it["outcome"] = str(string(i.Kind)), str(string(i.Outcome))
	putText(it, "format", i.Format)
	putTime(it, "fromTime", i.From)
	putTime(it, "toTime", i.To)
	putText(it, "counts", string(i.Counts))
	putWords(it, "accounts", i.Accounts[:min(len(i.Accounts), ledger.MaxAccounts)])
	putTime(it, "endedAt", i.Ended)
	putText(it, "error", i.Error)
	it["expiresAt"] = num(keptUntil(i.Started).Unix())
	return it
}

func decodeImport(it item) (ledger.Import, error) {
	r := reader{item: it}
	started, id := r.diaryEntry()
	i := ledger.Import{ID: id, Who: r.text("who"), Source: r.text("source"), SHA256: r.text("sha256"),
		Kind: ledger.Kind(r.required("kind")), Format: r.text("format"), From: r.time("fromTime"), To: r.time("toTime"),
		Accounts: wordsOf[usage.AccountID](&r, "accounts"), Started: started, Ended: r.time("endedAt"),
		Outcome: ledger.Outcome(r.required("outcome")), Error: r.text("error"), Bytes: r.count("bytes"),
		AccountCount: int(r.count("accountCount"))}
	if counts := r.text("counts"); counts != "" {
		i.Counts = json.RawMessage(counts)
		if !json.Valid(i.Counts) {
			r.fail("counts", "JSON")
		}
	}
	if r.err != nil {
		return ledger.Import{}, badItem("import", id, r.err)
	}
	return i, nil
}

// diaryEntry reads when something began, and its id.
func (r *reader) diaryEntry() (at time.Time, id string) {
	text, id, whole := strings.Cut(r.required("sk"), "#")
	at, err := usage.ParseTime(text)
	if err != nil || !whole || id == "" {
		r.fail("sk", "a time and an id")
	}
	return at, id
}

// count reads a number; absent is 0.
func (r *reader) count(name string) int64 {
	if n := r.number(name); n != nil {
		return *n
	}
	return 0
}

func wordsOf[W ~string](r *reader, name string) []W {
	var words []W
	for _, w := range r.words(name) {
		words = append(words, W(w))
	}
	return words
}
