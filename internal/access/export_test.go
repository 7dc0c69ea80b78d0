package access

import "fmt"

// Reseal puts the checksum behind a key's text that lacks it.
func Reseal(body string) (string, error) {
	text := body + checksum(body)
	if _, _, ok := parseKey(text); !ok {
		return "", fmt.Errorf("%q is no key", text)
	}
	return text, nil
}
