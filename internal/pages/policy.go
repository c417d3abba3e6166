package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"strings"
)

// element is an inline element whose content a policy allows by its hash.
type element struct {
	html   template.HTML
	source string
}

// newElement wraps content, which is part of the program, in the element tag.
func newElement(tag string, content []byte) element {
	sum := sha256.Sum256(content)
	return element{
		html:   template.HTML("<" + tag + ">" + string(content) + "</" + tag + ">"),
		source: "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
}

// policy returns the Content-Security-Policy of a page: its own style, its
// empty icon, and what it needs beyond that. A page of the shop's may use what
// its site serves, and nothing from elsewhere.
func (s *screen) policy() string {
	if s.template.own {
		return "default-src 'none'; style-src 'self' " + style.source + "; img-src 'self' data:; font-src 'self'; script-src 'self'" +
			sourcesOf(s.scripts) + "; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	}
	rules := []string{"default-src 'none'", "style-src " + style.source, "img-src data:"}
	if len(s.scripts) > 0 {
		rules = append(rules, "script-src"+sourcesOf(s.scripts))
	}
	if s.connects {
		rules = append(rules, "connect-src 'self'")
	}
	if !s.posts { // browsers hold form-action against the redirects after a post, too, which lead to the gateway
		rules = append(rules, "form-action 'none'")
	}
	return strings.Join(append(rules, "base-uri 'none'", "frame-ancestors 'none'"), "; ")
}

func sourcesOf(scripts []element) (sources string) {
	for _, script := range scripts {
		sources += " " + script.source
	}
	return sources
}
