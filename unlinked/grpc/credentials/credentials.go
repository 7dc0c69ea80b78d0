// Package credentials is named by tests of the X-Ray SDK, which nobody runs here: go mod tidy looks for it.
package credentials
