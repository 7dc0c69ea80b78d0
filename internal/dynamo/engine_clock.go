package dynamo

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/fault"
)

// engineClock is DynamoDB's, as the dates of its answers tell it.
type engineClock struct {
	now func() time.Time // this machine's

	mu    sync.Mutex
	known bool
	ahead time.Duration // of this machine's; 0 while the answers do not contradict that
}

// heard compares the date of an answer, which is in whole seconds, with when the call
// began and ended here.
func (c *engineClock) heard(date, began, ended time.Time) {
	began, ended = wall(began), wall(ended)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.ahead = true, 0
	if last := date.Add(time.Second); last.Before(began) {
		c.ahead = last.Sub(began)
	} else if date.After(ended) {
		c.ahead = date.Sub(ended)
	}
}

// Now is the time by DynamoDB's clock.
func (c *engineClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wall(c.now()).Add(c.ahead).UTC()
}

// check is an error where the clocks differ too much, in words for the operator.
func (c *engineClock) check(most time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.known:
		return fault.New(fault.Internal, "DynamoDB's answers bear no date", nil)
	case c.ahead.Abs() <= most:
		return nil
	}
	return &WrongClock{c.ahead, most}
}

// WrongClock says that this machine's clock and DynamoDB's are too far apart.
type WrongClock struct {
	Ahead time.Duration // DynamoDB's of this machine's
	Most  time.Duration // that they may be apart
}

func (w *WrongClock) Error() string {
	word := "behind"
	if w.Ahead < 0 {
		word = "ahead of"
	}
	return fmt.Sprintf("this machine's clock is %v %s DynamoDB's: set it right, to within %v, before anything "+
		"is written",
		w.Ahead.Abs().Round(time.Second), word, w.Most)
}

// through is a copy of the store whose calls pass something on their way, after they are
// signed, each attempt of its own.
func (s *Store) through(wrap func(dynamodb.HTTPClient) dynamodb.HTTPClient) *Store {
	db := dynamodb.New(s.db.Options(), func(o *dynamodb.Options) { o.HTTPClient = wrap(o.HTTPClient) })
	return &Store{Consumed: s.Consumed, db: db, tables: s.tables, limiter: s.limiter}
}

// dated tells a clock the dates of answers.
type dated struct {
	clock *engineClock
	next  dynamodb.HTTPClient
}

func (d *dated) Do(r *http.Request) (*http.Response, error) {
	began := d.clock.now()
	answer, err := d.next.Do(r)
	if err == nil {
		if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			d.clock.heard(date, began, d.clock.now())
		}
	}
	return answer, err
}
