package api

import "net/url"

// Seal makes a cursor as anybody could.
func Seal(path string, filters url.Values, key string) string {
	return (&params{path: path, values: filters}).seal(key)
}
