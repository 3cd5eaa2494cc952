package console_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/ombudhq/ombud/internal/testkit/consoletest"
)

// site is a console with a company behind it, as a browser meets it.
type site struct {
	t     *testing.T
	world *consoletest.World
	refs  consoletest.Refs
	seen  map[string]int // status of addresses that were followed
}

// newSite opens a company of a kind; its requests stand in every state that kind has.
func newSite(t *testing.T, kind consoletest.Kind) *site {
	t.Helper()
	w, err := consoletest.Open(t.Context(), t.TempDir(), kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{t: t, world: w, seen: map[string]int{}}
	switch kind {
	case consoletest.Full:
		s.refs, err = w.Populate(t.Context())
	case consoletest.Guesses:
		s.refs, err = w.Block(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.world.ServeHTTP(w, r)
	return w
}

func (s *site) get(path string) *httptest.ResponseRecorder {
	return s.do(httptest.NewRequest(http.MethodGet, path, nil))
}

// post sends a form as a browser on our own page does.
func (s *site) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

// page is one that was read.
type page struct {
	*site
	name string
	code int
	root *html.Node
	body string
}

// read gets a page and checks what every page must keep.
func (s *site) read(path string, code int) *page {
	s.t.Helper()
	p := s.parse(path, s.get(path))
	if p.code != code {
		s.t.Errorf("%s: status %d, want %d", path, p.code, code)
	}
	return p
}

func (s *site) parse(name string, w *httptest.ResponseRecorder) *page {
	s.t.Helper()
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		s.t.Fatal(err)
	}
	p := &page{s, name, w.Code, root, w.Body.String()}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":      "camera=(), geolocation=(), microphone=()",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	} {
		if got := w.Header().Get(name); got != want {
			p.fault("%s is %q, want %q", name, got, want)
		}
	}
	p.check()
	return p
}

func (p *page) fault(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf("%s: %s", p.name, fmt.Sprintf(format, args...))
}

// check walks the page once.
func (p *page) check() {
	p.t.Helper()
	ids := map[string]bool{}
	var wanted []string
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		p.element(n)
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				if ids[a.Val] {
					p.fault("two elements are called %s", a.Val)
				}
				ids[a.Val] = true
			case "for", "aria-labelledby", "aria-describedby", "popovertarget":
				wanted = append(wanted, strings.Fields(a.Val)...)
			case "href":
				if frag, ok := strings.CutPrefix(a.Val, "#"); ok {
					wanted = append(wanted, frag)
				}
			}
		}
	}
	for _, id := range wanted {
		if !ids[id] {
			p.fault("nothing here is called %s", id)
		}
	}
	if h := p.heading(); !strings.HasSuffix(h, ".") {
		p.fault("the heading is no sentence: %q", h)
	}
	p.masked()
}

// element must hold no script or style of its own, lead nowhere outside, and carry the token if it is a form.
func (p *page) element(n *html.Node) {
	p.t.Helper()
	if n.Data == "style" || n.Data == "script" && (n.FirstChild != nil || !strings.HasPrefix(attr(n, "src"), "/assets/")) {
		p.fault("<%s> stands in the page", n.Data)
	}
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			p.fault("%s of <%s> stands in the page", a.Key, n.Data)
		}
		if (a.Key == "href" || a.Key == "src" || a.Key == "action") && n.Namespace == "" {
			p.address(n.Data, a.Val)
		}
	}
	if n.Data == "th" && attr(n, "scope") == "" {
		p.fault("a table's head has no scope")
	}
	if n.Data == "form" {
		p.form(n)
	}
}

func (p *page) form(n *html.Node) {
	p.t.Helper()
	token, typed := false, false
	for c := range n.Descendants() {
		typed = typed || c.Data == "input" || c.Data == "textarea"
		token = token || attr(c, "name") == "token" && attr(c, "type") == "hidden" && len(attr(c, "value")) == 64
	}
	if attr(n, "method") == "get" && !typed {
		return // it chooses among what the page holds: nothing of anybody can come into the address
	}
	if !token || attr(n, "method") != "post" {
		p.fault("the form to %s has no token, or is sent in the address", attr(n, "action"))
	}
}

// address must be ours, hold no identity, and be there.
func (p *page) address(element, to string) {
	p.t.Helper()
	if strings.HasPrefix(to, "#") {
		return
	}
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "@") || strings.Contains(to, "example") {
		p.fault("an address leads outside, or says too much: %s", to)
		return
	}
	if element == "form" {
		return
	}
	path, _, _ := strings.Cut(to, "#")
	if _, ok := p.seen[path]; !ok {
		p.seen[path] = p.get(path).Code
	}
	if code := p.seen[path]; code != http.StatusOK {
		p.fault("%s answers %d", to, code)
	}
}

// masked: no identity of anybody is on the page, nor a name from a store.
func (p *page) masked() {
	p.t.Helper()
	for _, bad := range []string{"@example.com", "ida@", "Nordmann", "+47 900"} {
		if strings.Contains(p.body, bad) {
			p.fault("%q is shown", bad)
		}
	}
}

func (p *page) heading() string {
	p.t.Helper()
	var out []string
	for n := range p.root.Descendants() {
		if n.Data == "h1" {
			out = append(out, text(n))
		}
	}
	if len(out) != 1 {
		p.fault("%d headings", len(out))
		return "."
	}
	return out[0]
}

// has demands that words are on the page.
func (p *page) has(words ...string) *page {
	p.t.Helper()
	all := text(p.root)
	for _, w := range words {
		if !strings.Contains(all, w) {
			p.fault("it does not say %q", w)
		}
	}
	return p
}

// lacks demands that words are not on it.
func (p *page) lacks(words ...string) {
	p.t.Helper()
	all := text(p.root)
	for _, w := range words {
		if strings.Contains(all, w) {
			p.fault("it says %q", w)
		}
	}
}

// fields are the hidden ones of the form to an address.
func (p *page) fields(action string) url.Values {
	p.t.Helper()
	for n := range p.root.Descendants() {
		if n.Data != "form" || attr(n, "action") != action {
			continue
		}
		out := url.Values{}
		for c := range n.Descendants() {
			if c.Data == "input" && attr(c, "type") == "hidden" {
				out.Set(attr(c, "name"), attr(c, "value"))
			}
		}
		return out
	}
	p.t.Fatalf("%s: there is no form to %s", p.name, action)
	return nil
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "script" {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func bodyOf(w *httptest.ResponseRecorder) string {
	b, _ := io.ReadAll(w.Body)
	return string(b)
}
