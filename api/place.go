package api

import "strings"

// parameters are how the place of a fault begins that does not lie in the body.
var parameters = []string{"query.", "path.", "header.", "cookie."}

// place is where a fault lies, in the one spelling that problems have: a JSON pointer (RFC 6901) into the body; or query.,
// path. or header. and the name of a parameter; nothing where it is all of the body. Words of ours come as a/b.
func place(where string) string {
	if where == "" || where[0] == '/' {
		return where
	}
	for _, p := range parameters {
		if strings.HasPrefix(where, p) {
			return where
		}
	}
	return "/" + where
}

// clientNamed are the properties whose members have names of the client's, which may be anything and are not repeated.
var clientNamed = map[string]bool{"subject": true, "metadata": true, "record": true}

// placeOf is the place of a fault that is named with dots and brackets, as body.subjects[3]. It goes as far as the names
// are surely ours.
func placeOf(location string) string {
	rest, ok := strings.CutPrefix(location, "body")
	if !ok {
		return location
	}
	pointer, last := "", ""
	for part := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			break
		}
		pointer += "/" + part
		if clientNamed[part] || last == "subjects" {
			break
		}
		last = part
	}
	return pointer
}
