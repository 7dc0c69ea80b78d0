package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// root is the repository's: where npm ci puts node_modules.
const root = "../../../.."

const page = "http://127.0.0.1:3000/v1/"

var (
	mara    = User{Login: "mara@northwind.example", Password: "demo-one", Name: "Mara", Partner: "northwind"}
	exports = Program{ID: "exports", Secret: "demo-secret", Partner: "southbank"}
)

// shared is the issuer of all tests: none changes it for another.
var shared *Issuer

func TestMain(m *testing.M) {
	var err error
	shared, err = Start(context.Background(), root, Config{
		Page: page, Users: []User{mara}, Programs: []Program{exports}, Lifetime: 90 * time.Second,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	shared.Stop()
	os.Exit(code)
}

// person is a browser without a window: it keeps cookies, and stops before it
// leaves the issuer.
func person(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), page) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

const verifier = "a-verifier-of-at-least-forty-three-characters-in-all"

func authorization(more url.Values) string {
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {ClientID}, "redirect_uri": {page}, "scope": {Scope}, "resource": {Audience},
		"state": {"s1"}, "nonce": {"n1"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for name, values := range more {
		query[name] = values
		if values[0] == "" {
			query.Del(name)
		}
	}
	return shared.URL + "/auth?" + query.Encode()
}

func read(t *testing.T, r *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// backWith sends a form of the issuer's page and gives what is in the address that
// it leads back to.
func backWith(t *testing.T, browser *http.Client, form string, entered url.Values) url.Values {
	t.Helper()
	r, err := browser.Get(authorization(nil))
	text := read(t, r, err)
	action := regexp.MustCompile(`action="(/interaction/[\w-]+/` + form + `)"`).FindStringSubmatch(text)
	if action == nil {
		t.Fatalf("there is no form %s: %s", form, text)
	}
	r, err = browser.PostForm(shared.URL+action[1], entered)
	text = read(t, r, err)
	back, err := url.Parse(r.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), page) {
		t.Fatalf("%s leads to %q (%v): %d %s", form, back, err, r.StatusCode, text)
	}
	return back.Query()
}

type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
}

func token(t *testing.T, form url.Values) tokens {
	t.Helper()
	r, err := http.Post(shared.URL+"/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	var answer tokens
	text := read(t, r, err)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return answer
}

func wantClaims(t *testing.T, jwt string, want map[string]any) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", jwt)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
	if life := got["exp"].(float64) - got["iat"].(float64); life != 90 && want["aud"] == Audience {
		t.Errorf("it lives %v s", life)
	}
}

func TestAPersonGetsTokensAndRenewsThem(t *testing.T) {
	browser := person(t)
	back := backWith(t, browser, "login", url.Values{"login": {mara.Login}, "password": {mara.Password}})
	if back.Get("state") != "s1" || back.Get("iss") != shared.URL {
		t.Fatalf("it leads back with %v", back)
	}
	exchange := url.Values{"grant_type": {"authorization_code"}, "client_id": {ClientID}, "redirect_uri": {page}, "resource": {Audience}, "code": back["code"]}
	if got := token(t, exchange); got.Error != "invalid_grant" {
		t.Errorf("without a verifier: %+v", got)
	}
	back = backAgain(t, browser)
	exchange["code"], exchange["code_verifier"] = back["code"], []string{verifier}
	got := token(t, exchange)
	wantClaims(t, got.AccessToken, map[string]any{"iss": shared.URL, "aud": Audience, "partner_id": "northwind", "sub": mara.Login})
	wantClaims(t, got.IDToken, map[string]any{"iss": shared.URL, "aud": ClientID, "nonce": "n1", "sub": mara.Login, "name": "Mara"})

	renew := url.Values{"grant_type": {"refresh_token"}, "client_id": {ClientID}, "resource": {Audience}, "refresh_token": {got.RefreshToken}}
	again := token(t, renew)
	wantClaims(t, again.AccessToken, map[string]any{"aud": Audience, "partner_id": "northwind"})
	if again.RefreshToken == "" || again.RefreshToken == got.RefreshToken {
		t.Error("the refresh token is not rotated")
	}
	if reused := token(t, renew); reused.Error != "invalid_grant" {
		t.Errorf("a refresh token that was used: %+v", reused)
	}
}

// backAgain is what a second sign-in leads back with: the issuer knows the person.
func backAgain(t *testing.T, browser *http.Client) url.Values {
	t.Helper()
	r, err := browser.Get(authorization(nil))
	read(t, r, err)
	back, err := url.Parse(r.Header.Get("Location"))
	if err != nil || !back.Query().Has("code") {
		t.Fatalf("the second time leads to %q", back)
	}
	return back.Query()
}

func TestAWrongPasswordAndACancelGiveNoCode(t *testing.T) {
	r, err := person(t).Get(authorization(nil))
	text := read(t, r, err)
	if strings.Contains(strings.ReplaceAll(text, shared.URL, ""), "//") {
		t.Errorf("the page names an address elsewhere: %s", text)
	}
	back := backWith(t, person(t), "cancel", nil)
	if back.Get("error") != "access_denied" || back.Get("state") != "s1" || back.Has("code") {
		t.Errorf("a cancel leads back with %v", back)
	}
	browser := person(t)
	r, err = browser.Get(authorization(nil))
	action := regexp.MustCompile(`/interaction/[\w-]+/login`).FindString(read(t, r, err))
	r, err = browser.PostForm(shared.URL+action, url.Values{"login": {mara.Login}, "password": {"another"}})
	if text := read(t, r, err); r.StatusCode != http.StatusOK || !strings.Contains(text, "There is no such user") {
		t.Errorf("a wrong password: %d %s", r.StatusCode, text)
	}
}

func TestWithoutPKCEThereIsNoCode(t *testing.T) {
	r, err := person(t).Get(authorization(url.Values{"code_challenge": {""}, "code_challenge_method": {""}}))
	read(t, r, err)
	if at := r.Header.Get("Location"); !strings.Contains(at, "error=invalid_request") {
		t.Errorf("it leads to %q", at)
	}
}

func TestAProgramGetsATokenOfItsPartner(t *testing.T) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {exports.ID}, "client_secret": {exports.Secret}, "resource": {Audience}}
	wantClaims(t, token(t, form).AccessToken, map[string]any{"iss": shared.URL, "aud": Audience, "partner_id": "southbank", "sub": exports.ID})
	form.Set("client_secret", "another")
	if got := token(t, form); got.Error != "invalid_client" {
		t.Errorf("with another secret: %+v", got)
	}
}

func TestOnlyThePageMayReadTokens(t *testing.T) {
	for origin, want := range map[string]string{"http://127.0.0.1:3000": "http://127.0.0.1:3000", "http://localhost:3000": "http://localhost:3000", "http://127.0.0.1:3001": ""} {
		r, err := http.NewRequest(http.MethodPost, shared.URL+"/token", strings.NewReader("client_id="+ClientID+"&grant_type=refresh_token&refresh_token=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(r)
		read(t, answer, err)
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: Access-Control-Allow-Origin %q, want %q", origin, got, want)
		}
	}
}

func TestWhatIsMissingIsToldInOneLineWithTheWayOut(t *testing.T) {
	fails := func(root string, want error) {
		t.Helper()
		if _, err := Start(t.Context(), root, Config{Page: page}); !errors.Is(err, want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Start = %v, want one line, %v", err, want)
		}
	}
	fails(t.TempDir(), errNoLibrary)
	t.Setenv("PATH", t.TempDir())
	fails(root, errNoNode)
}
