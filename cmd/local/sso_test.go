package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
)

type readyWithIssuer struct {
	readyFile
	Issuer *readyIssuer
}

var programLine = regexp.MustCompile(`(?m)^  (curl -H "Authorization: Bearer \$\(curl .*)$`)

func startsWithSSO(t *testing.T, args ...string) (*command, readyWithIssuer) {
	t.Helper()
	t.Setenv("DYNAMODB_ENDPOINT", "")
	path := filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, append([]string{"--listen", "127.0.0.1:0", "--records", "200", "--ready-file", path}, args...)...)
	var ready readyWithIssuer
	if err := json.Unmarshal(c.serves(t, path), &ready); err != nil {
		t.Fatal(err)
	}
	return c, ready
}

// document is the dashboard's page, with the header that says whom it may ask.
func document(t *testing.T, base string) (text, policy string) {
	t.Helper()
	response, err := http.Get(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), response.Header.Get("Content-Security-Policy")
}

func TestSingleSignOnOnOneMachine(t *testing.T) {
	c, ready := startsWithSSO(t, "--sso")
	if ready.Issuer == nil || len(ready.Issuer.Users) < 2 || len(ready.Issuer.Programs) != 1 {
		t.Fatalf("the ready file has the issuer %+v", ready.Issuer)
	}
	said := c.stdout.String()
	if !strings.Contains(said, "  export OIDC_ISSUER="+ready.Issuer.URL+"\n") {
		t.Errorf("partnerctl is not told the issuer:\n%s", said)
	}
	partners := make(map[string]bool)
	for _, user := range ready.Issuer.Users {
		partners[user.Partner] = true
		if !strings.Contains(said, user.Login) || !strings.Contains(said, user.Password) {
			t.Errorf("%s is not printed:\n%s", user.Login, said)
		}
	}
	if len(partners) < 2 {
		t.Errorf("the users are all of %v", partners)
	}
	page, policy := document(t, ready.BaseURL)
	if !strings.Contains(page, `<meta name="issuer"`) || !strings.Contains(policy, "connect-src 'self' "+ready.Issuer.URL+";") {
		t.Errorf("the page does not know the issuer: %s", policy)
	}

	// What each of them sees of northwind's 30 customers: a list that is not the person's would show all of them.
	store := dynamo.NewStore(dynamotest.ClientOf(t, ready.DynamodbEndpoint), dynamo.Tables{Partners: ready.Tables["Partners"]})
	for login, want := range map[string]int{"nils@northwind.example": 3, "nele@northwind.example": 0} {
		id := directory.PersonID(ready.Issuer.URL, login) // as the authorizer finds it from a token
		self, err := store.Self(t.Context(), directory.Identity{Partner: "northwind", KeyID: "oidc", Narrowed: id})
		if err != nil || self.Customers == nil || *self.Customers != want || *self.PartnerCustomers != 30 {
			t.Errorf("%s sees %+v (%v), want %d of 30", login, self, err, want)
		}
		if stands, err := store.Standing(t.Context(), "northwind", id, ""); err != nil || stands.Person != directory.Listed {
			t.Errorf("%s is %q (%v): a person of whom nothing is said may see all", login, stands.Person, err)
		}
	}
	if !strings.Contains(said, "sees 3 customers\n") || !strings.Contains(said, "sees no customer\n") {
		t.Errorf("who sees less is not printed:\n%s", said)
	}

	// As somebody would paste it into a shell.
	line := programLine.FindStringSubmatch(said)
	if line == nil {
		t.Fatalf("no line for a program is printed:\n%s", said)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", line[1]).Output()
	var answer struct {
		Data []struct{ AccountID string }
	}
	if err != nil || json.Unmarshal(out, &answer) != nil || len(answer.Data) != 3 {
		t.Errorf("%s gives %s (%v)", line[1], out, err)
	}
	for _, p := range ready.Partners {
		if p.ID == ready.Issuer.Programs[0].Partner {
			first := firstCustomer(t, ready.BaseURL, p.Key)
			if len(answer.Data) > 0 && answer.Data[0].AccountID != first {
				t.Errorf("the program sees %v, and its partner's key %s", answer.Data, first)
			}
		}
	}

	c.stop()
	if code := c.wait(t); code != 0 {
		t.Errorf("it ended with %d: %s", code, c.stderr)
	}
	if _, err := http.Get(ready.Issuer.URL); err == nil {
		t.Error("the issuer is still there")
	}
}

func firstCustomer(t *testing.T, base, key string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, base+"/customers?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data []struct{ AccountID string }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Data) != 1 {
		t.Fatalf("%v: %v", answer, err)
	}
	return answer.Data[0].AccountID
}

func TestWithoutSSOThereIsNoIssuer(t *testing.T) {
	c, ready := startsWithSSO(t, "--empty")
	page, policy := document(t, ready.BaseURL)
	if ready.Issuer != nil || strings.Contains(page, `name="issuer"`) || !strings.Contains(policy, "connect-src 'self';") || strings.Contains(c.stdout.String(), "ingle sign-on") {
		t.Errorf("there is one: %+v\n%s\n%s", ready.Issuer, policy, c.stdout)
	}
}

func TestAFixedTimeAndAnIssuerContradictEachOther(t *testing.T) {
	fails(t, "--now and --sso do not go together", "--listen", "127.0.0.1:0", "--sso", "--now", "2026-06-01T00:00:00Z")
}

func TestAMissingNodeIsToldWithTheWayOutOfSSOToo(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("PATH", t.TempDir())
	fails(t, "install Node 20 or later, or leave --sso out", "--listen", "127.0.0.1:0", "--sso")
}
