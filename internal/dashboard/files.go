package dashboard

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"strings"
)

//go:generate go run ./operators -list ../../node_modules/mcc-mnc-list/mcc-mnc-list.json -module web/operatorlist.js
//go:generate go run ./bundle

// The files of web/ that are served. Those of web/bundled/ are made of its modules and
// style sheets by ./bundle, reference.html of openapi.yaml by ./reference.
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

// file is something that is served as it stands. etag is quoted; cache is a
// Cache-Control value.
type file struct {
	body                   []byte
	mediaType, etag, cache string
}

// newFile is a file that is checked each time it is used.
func newFile(body []byte, mediaType string) file {
	return file{body, mediaType, `"` + hash(body) + `"`, "no-cache"}
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", f.cache)
	header.Set("ETag", f.etag)
	// A gateway that compresses may mark the etag it passes on as weak.
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == f.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	header.Set("Content-Type", f.mediaType)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		// The client may have gone; there is nobody else to tell.
		_, _ = w.Write(f.body)
	}
}

// siteFiles makes the files that are served, by path: one script, styles, an icon, and
// two documents that name them. The script is one although its modules are many: each
// file that a browser asks for at once starts a function.
func siteFiles(signIn SignIn) (map[string]file, error) {
	issuer, err := signIn.element()
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	asset := func(name string, body []byte, mediaType string) string {
		f := newFile(body, mediaType)
		f.cache = "public, max-age=31536000, immutable"
		extension := path.Ext(name)
		address := "assets/" + strings.TrimSuffix(name, extension) + "-" + hash(body) + extension
		files["/"+address] = f
		return address
	}
	names := strings.NewReplacer(
		"{{script.js}}", asset("script.js", script, "text/javascript; charset=utf-8"),
		"{{style.css}}", asset("style.css", style, "text/css; charset=utf-8"),
		"{{reference.css}}", asset("reference.css", referenceStyle, "text/css; charset=utf-8"),
		"{{mark.svg}}", asset("mark.svg", mark, "image/svg+xml"),
		"{{icons}}", icons,
		"{{issuer}}", issuer,
	)
	for address, template := range map[string]string{"/": pageHTML, "/docs": referenceHTML} {
		document := names.Replace(template)
		if strings.Contains(document, "{{") {
			return nil, fmt.Errorf("the document of %s names a file that is not there", address)
		}
		files[address] = newFile([]byte(document), "text/html; charset=utf-8")
	}
	// With no-store a browser does not keep the page as it was for Back. Firefox would, with a sessionStorage of that
	// time: whoever signed out since in another document of the tab would be signed in again.
	page := files["/"]
	page.cache = "no-store"
	files["/"] = page
	return files, nil
}

// hash tells contents apart: 96 bits of SHA-256, in letters that a path can hold.
func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
