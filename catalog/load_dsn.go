package catalog

import (
	"errors"
	"os"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

var errSyntax = errors.New("a variable is written ${NAME}")

// ExpandDSN gives the system's DSN with every ${NAME} replaced from the environment; see ExpandDSN.
func (s *System) ExpandDSN() (string, error) { return ExpandDSN(s.ID, s.DSN) }

// ExpandDSN gives the DSN of what has a name with every ${NAME} replaced from the environment. A variable that is not
// set is fault.Invalid and named; neither the DSN nor a value is part of the error.
func ExpandDSN(of, dsn string) (string, error) {
	missing := ""
	dsn, err := expand(dsn, func(name string) (string, bool) {
		v, ok := os.LookupEnv(name)
		if !ok && missing == "" {
			missing = name
		}
		return v, ok
	})
	switch {
	case missing != "":
		return "", fault.New(fault.Invalid, "%s: the environment variable %s is not set", of, missing).
			Then("Set %s to the connection string, or name another variable.", missing)
	case err != nil:
		return "", fault.New(fault.Invalid, "%s: a variable in its DSN is not written ${NAME}", of)
	}
	return dsn, nil
}

// Expand gives a text of the configuration with every ${NAME} replaced from the environment; what names it in the error,
// which holds neither the text nor a value.
func Expand(what, text string) (string, error) {
	out, err := expand(text, os.LookupEnv)
	if err != nil {
		return "", fault.New(fault.Invalid, "%s names an environment variable that is not set, or not written ${NAME}", what)
	}
	return out, nil
}

// expand replaces ${NAME}; a dollar that opens no brace stands for itself.
func expand(s string, lookup func(string) (string, bool)) (string, error) {
	var b strings.Builder
	var first error
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), first
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !isVariable(name) {
			return "", errSyntax
		}
		v, ok := lookup(name)
		if !ok && first == nil {
			first = errors.New("a variable is not set")
		}
		b.WriteString(v)
		s = after
	}
}

func isVariable(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
