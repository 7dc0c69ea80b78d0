package dashboard

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
)

//go:generate go run ./operators -list ../../node_modules/mcc-mnc-list/mcc-mnc-list.json -module web/operatorlist.js
//go:generate go run ./bundle

// The files of web/ that are served. Those of web/bundled/ are made of its modules and
// style sheets by ./bundle, reference.html of openapi.yaml by ./reference. The addresses
// of scripts, styles and pictures have the hash of their contents in them; ./bundle writes
// them to addresses.go, so that no start has to work them out.
var (
	//go:embed web/index.html
	pageHTML string
	//go:embed web/reference.html
	referenceHTML string
	//go:embed web/bundled/script.js
	script []byte
	//go:embed web/bundled/style.css
	style []byte
	//go:embed web/bundled/reference.css
	referenceStyle []byte
	//go:embed web/mark.svg
	mark []byte
	//go:embed web/icons.svg
	icons string
)

// file is something that is served as it stands. cache is a Cache-Control value.
type file struct {
	mediaType, cache string
	content          func() content // made when it is first asked for: a start reads none
}

// content is what a file holds. etag is quoted.
type content struct {
	body []byte
	etag string
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header, content := w.Header(), f.content()
	header.Set("Cache-Control", f.cache)
	header.Set("ETag", content.etag)
	// A gateway that compresses may mark the etag it passes on as weak.
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == content.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	header.Set("Content-Type", f.mediaType)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		// The client may have gone; there is nobody else to tell.
		_, _ = w.Write(content.body)
	}
}

// siteFiles is what is served, by path: one script, styles, an icon, and two documents
// that name them. The script is one although its modules are many: each file that a
// browser asks for at once starts a function. issuer is what the page is told of one.
func siteFiles(openapi, issuer string) map[string]file {
	names := strings.NewReplacer(
		"{{script.js}}", scriptAddress,
		"{{style.css}}", styleAddress,
		"{{reference.css}}", referenceStyleAddress,
		"{{mark.svg}}", markAddress,
		"{{icons}}", icons,
		"{{issuer}}", issuer,
	)
	return map[string]file{
		// With no-store a browser does not keep the page as it was for Back. Firefox would, with a sessionStorage
		// of that time: whoever signed out since in another document of the tab would be signed in again.
		"/":             {htmlType, "no-store", document(func() string { return names.Replace(pageHTML) })},
		"/docs":         {htmlType, "no-cache", document(func() string { return names.Replace(referenceHTML) })},
		"/openapi.yaml": {"application/yaml", "no-cache", document(func() string { return openapi })},

		"/" + scriptAddress:         {"text/javascript; charset=utf-8", forEver, asset(scriptAddress, script)},
		"/" + styleAddress:          {cssType, forEver, asset(styleAddress, style)},
		"/" + referenceStyleAddress: {cssType, forEver, asset(referenceStyleAddress, referenceStyle)},
		"/" + markAddress:           {"image/svg+xml", forEver, asset(markAddress, mark)},
	}
}

const (
	htmlType = "text/html; charset=utf-8"
	cssType  = "text/css; charset=utf-8"
	forEver  = "public, max-age=31536000, immutable"
)

// document is told apart by what it holds, 96 bits of SHA-256 of it.
func document(text func() string) func() content {
	return sync.OnceValue(func() content {
		body := []byte(text())
		sum := sha256.Sum256(body)
		return content{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	})
}

// asset is told apart by its address, which no other contents have.
func asset(address string, body []byte) func() content {
	return func() content { return content{body, `"` + address + `"`} }
}
