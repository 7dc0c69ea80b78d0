package reference

import (
	"html/template"
	"regexp"
	"strings"
)

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	bold     = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// prose is the little of CommonMark that the descriptions use: paragraphs, `code`
// and **bold**. Everything else is text, and escaped.
func prose(text string) template.HTML {
	var out strings.Builder
	for _, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if paragraph == "" {
			continue
		}
		out.WriteString("<p>" + inline(paragraph) + "</p>")
	}
	return template.HTML(out.String()) // every part of it is escaped, or written here
}

// inline escapes first, so that the only markup is its own; code first, so that stars
// in it stay stars.
func inline(text string) string {
	escaped := template.HTMLEscapeString(strings.Join(strings.Fields(text), " "))
	var out strings.Builder
	end := 0
	for _, at := range codeSpan.FindAllStringSubmatchIndex(escaped, -1) {
		out.WriteString(bold.ReplaceAllString(escaped[end:at[0]], "<strong>$1</strong>"))
		out.WriteString("<code>" + escaped[at[2]:at[3]] + "</code>")
		end = at[1]
	}
	out.WriteString(bold.ReplaceAllString(escaped[end:], "<strong>$1</strong>"))
	return out.String()
}
