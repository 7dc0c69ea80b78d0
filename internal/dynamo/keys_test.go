package dynamo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/dynamotest"
)

func accessKey(id string, partner directory.PartnerID) directory.AccessKey {
	return directory.AccessKey{ID: id, Partner: partner, SecretHash: [32]byte{1, 2, 31: 3}, LastFour: "x7Qa", Label: "ci", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func TestAccessKeyIsReadForADecision(t *testing.T) {
	s := engine.NewStore(t)
	k := accessKey("4fzyo82mXw3b", "northwind")
	must(t, s.PutAccessKey(t.Context(), k))
	got, err := s.AccessKey(t.Context(), k.ID)
	must(t, err)
	want := k
	want.LastFour, want.Label, want.CreatedAt = "", "", time.Time{} // not needed for a decision, not read
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.AccessKey(t.Context(), "4FZYO82MXW3B"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key of another id: got %v, want not found", err)
	}
}

func TestKeysOfAPartnerAreListedByTheirMaking(t *testing.T) {
	s := engine.NewStore(t)
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	var want []directory.AccessKey
	for i := range 130 { // more than one call reads
		k := accessKey(name("key%09d", 130-i), "northwind")
		k.CreatedAt = now.Add(time.Duration(i/2) * time.Second)
		want = append(want, k)
		must(t, s.PutAccessKey(t.Context(), k))
	}
	must(t, s.PutAccessKey(t.Context(), accessKey("others000000", "northwind2")))
	slices.SortFunc(want, func(a, b directory.AccessKey) int {
		if a.CreatedAt.Equal(b.CreatedAt) && a.ID < b.ID || a.CreatedAt.Before(b.CreatedAt) {
			return -1
		}
		return 1
	})
	got, err := s.AccessKeys(t.Context(), "northwind")
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRevokingKeepsTheFirstTime(t *testing.T) {
	s := engine.NewStore(t)
	want := accessKey("4fzyo82mXw3b", "northwind")
	must(t, s.PutAccessKey(t.Context(), want))
	want.RevokedAt = now
	for _, at := range []time.Time{now, now.Add(time.Hour)} {
		got, err := s.RevokeAccessKey(t.Context(), want.ID, at)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("revoked at %s (-want +got):\n%s", at, diff)
		}
	}
	if _, err := s.RevokeAccessKey(t.Context(), "nosuchkey000", now); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown key: got %v, want not found", err)
	}
	if keys, err := s.AccessKeys(t.Context(), "northwind"); err != nil || len(keys) != 1 {
		t.Errorf("the list shows %d keys (%v), want the revoked one", len(keys), err)
	}
}

func TestAKeysEndIsOnlyEverBroughtForward(t *testing.T) {
	s := engine.NewStore(t)
	want := accessKey("4fzyo82mXw3b", "northwind") // which ends in an hour
	must(t, s.PutAccessKey(t.Context(), want))
	lasting := accessKey("lasting00000", "northwind")
	lasting.ExpiresAt = time.Time{}
	must(t, s.PutAccessKey(t.Context(), lasting))
	for _, at := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute, 45 * time.Minute, 30 * time.Minute} {
		if end := now.Add(at); end.Before(want.ExpiresAt) {
			want.ExpiresAt = end
		}
		got, err := s.ExpireAccessKey(t.Context(), want.ID, now.Add(at))
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("to end after %s (-want +got):\n%s", at, diff)
		}
	}
	if got, err := s.ExpireAccessKey(t.Context(), lasting.ID, now); err != nil || !got.ExpiresAt.Equal(now) {
		t.Errorf("a key without an end becomes %+v, %v", got, err)
	}
	for name, call := range map[string]func() error{
		"expire": func() error { _, err := s.ExpireAccessKey(t.Context(), "nosuchkey000", now); return err },
		"read":   func() error { _, err := s.GetAccessKey(t.Context(), "nosuchkey000"); return err },
	} {
		if err := call(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of an unknown key: got %v, want not found", name, err)
		}
	}
	if keys, err := s.AccessKeys(t.Context(), "northwind"); err != nil || len(keys) != 2 {
		t.Errorf("there are %d keys, %v: an end makes none", len(keys), err)
	}
}

func TestKeyThatCountsIsAlwaysListed(t *testing.T) {
	s, proxy, direct := proxied(t)
	for lost := range 2 { // the write after which the operator's machine stops
		writes := 0
		proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
			if writes++; writes > lost {
				dynamotest.Refuse(w, "AccessDeniedException")
				return true
			}
			return false
		})
		k := accessKey(name("key%09d", lost), "northwind")
		if err := s.PutAccessKey(t.Context(), k); err == nil {
			t.Fatal("a lost write is not told")
		}
		_, err := direct.AccessKey(t.Context(), k.ID)
		counts := err == nil
		listed, err := direct.AccessKeys(t.Context(), "northwind")
		must(t, err)
		if counts != (len(listed) == 1) {
			t.Errorf("after %d writes: counts %t, listed %d", lost, counts, len(listed))
		}
	}
}
