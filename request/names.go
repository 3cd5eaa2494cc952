package request

import (
	"strconv"
	"strings"
)

// names gives each dataset a path inside the package that every file system takes: lower case ASCII,
// no device name of Windows, at most 60 characters a part, unique without regard to case.
type names map[string]bool

func (n names) file(system, dataset string) string {
	folder := "data/" + safeName(system) + "/"
	base := safeName(dataset)
	name := folder + base
	for i := 2; n[name]; i++ {
		name = folder + base + "-" + strconv.Itoa(i)
	}
	n[name] = true
	return name
}

func safeName(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-', r == '.' && b.Len() > 0:
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
		if b.Len() == 60 {
			break
		}
	}
	name := strings.TrimRight(b.String(), ".")
	stem, _, _ := strings.Cut(name, ".")
	if name == "" || isDevice(stem) {
		name = "_" + name
	}
	return name
}

func isDevice(stem string) bool {
	switch stem {
	case "con", "prn", "aux", "nul":
		return true
	}
	rest, ok := strings.CutPrefix(stem, "com")
	if !ok {
		rest, ok = strings.CutPrefix(stem, "lpt")
	}
	return ok && len(rest) == 1 && rest[0] >= '0' && rest[0] <= '9'
}
