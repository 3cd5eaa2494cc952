package console

import (
	"maps"
	"net/http"
)

// secured keeps a page to itself: nothing is loaded from elsewhere, nothing frames it, nothing is stored on the way, and no
// address of ours is told to another one. Who answers may set a header anew, never change one in place: the values are shared.
var secured = map[string][]string{
	"Content-Security-Policy": {"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
	"X-Content-Type-Options":       {"nosniff"},
	"X-Frame-Options":              {"DENY"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Permissions-Policy":           {"camera=(), geolocation=(), microphone=()"},
	"Cache-Control":                {"no-store"},
}

// Secure allows an answer to a browser what is ours and nothing else. Every page has it already; whoever answers a browser
// beside the pages begins with it.
func Secure(h http.Header) { maps.Copy(h, secured) }
