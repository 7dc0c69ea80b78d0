package oidc

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"partnerview/internal/fault"
)

const (
	// refreshAfter is how long a key that the issuer has withdrawn may live on.
	refreshAfter = time.Hour
	// dropAfter is how long keys serve while the issuer does not answer: for its
	// outage, and no longer.
	dropAfter = 6 * time.Hour
	// askEvery is how often the issuer is asked at most, by tokens of a key that
	// is not known, too. An unknown key is a new one once in months, else junk.
	askEvery = time.Minute
	// askAgainEvery is the same while there are no keys at all, since nobody is
	// answered until then.
	askAgainEvery = 10 * time.Second
)

// keyring keeps an issuer's keys. The issuer is asked by a request that needs a
// key, in its own time: there is no goroutine. One asks at a time, and those who
// need the same answer wait for it.
type keyring struct {
	source source
	log    *slog.Logger
	now    func() time.Time
	asking chan struct{} // full while somebody asks

	mu sync.Mutex
	state
}

type state struct {
	keys    keySet
	got     time.Time // when keys were had; zero: never
	asked   time.Time // when the issuer was asked last, in vain or not
	failure error     // what came of it; nil: keys
}

func newKeyring(s source, log *slog.Logger) *keyring {
	return &keyring{source: s, log: log, now: wallClock, asking: make(chan struct{}, 1)}
}

// wallClock leaves the monotonic clock aside: that may stand still while Lambda
// has frozen us.
func wallClock() time.Time { return time.Now().Round(0) }

// find gives the issuer's key for a token. fault.Unauthenticated: it has no such
// key. fault.Unavailable: that cannot be told, since the issuer does not answer.
func (k *keyring) find(ctx context.Context, ref keyRef) (any, error) {
	for {
		s := k.snapshot()
		age := k.now().Sub(s.got)
		key, known := s.keys.find(ref)
		known = known && age < dropAfter
		if known && age < refreshAfter {
			return key, nil
		}
		if !k.mayAsk(s) {
			switch {
			case known:
				return key, nil
			case s.failure != nil:
				return nil, fault.New(fault.Unavailable, "keys of the issuer", s.failure)
			}
			return nil, refuse("no key of the issuer's fits")
		}
		select {
		case k.asking <- struct{}{}:
		default:
			if known {
				return key, nil // somebody else is at it
			}
			select {
			case k.asking <- struct{}{}:
			case <-ctx.Done():
				return nil, fault.New(fault.Unavailable, "keys of the issuer", ctx.Err())
			}
		}
		err := k.ask(ctx)
		<-k.asking
		if err != nil {
			return nil, fault.New(fault.Unavailable, "keys of the issuer", err)
		}
	}
}

func (k *keyring) snapshot() state {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// mayAsk reports whether it is time to ask the issuer again.
func (k *keyring) mayAsk(s state) bool {
	now := k.now()
	wait := askEvery
	if now.Sub(s.got) >= dropAfter {
		wait = askAgainEvery
	}
	return now.Sub(s.asked) >= wait
}

// ask asks the issuer, unless somebody has while we waited. What comes of it is
// in the state; the error is that of a request that has ended itself, which
// says nothing of the issuer.
func (k *keyring) ask(ctx context.Context) error {
	if !k.mayAsk(k.snapshot()) {
		return nil
	}
	asked := k.now()
	keys, err := k.source.keys(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // those whom known keys serve would not tell
		k.log.WarnContext(ctx, "the issuer does not give its keys", "cause", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked, k.failure = asked, err
	if err == nil {
		k.keys, k.got = keys, asked
	}
	return nil
}
