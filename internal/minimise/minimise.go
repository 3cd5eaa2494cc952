// Package minimise passes on what a purpose may see and nothing else (Art. 5(1)(c)). It is pure, so that the server and the
// Go SDK filter alike.
package minimise

import (
	"slices"
	"strings"
)

// Filter copies record without the fields that are not allowed, and names those it left out, sorted. An allowed
// "address" lets all of it pass, an allowed "address.city" only that; within lists the same rules hold for each element.
// Nothing allowed passes nothing.
func Filter(record map[string]any, allowed []string) (passed map[string]any, stripped []string) {
	f := filter{allowed: map[string]bool{}, above: map[string]bool{}}
	for _, name := range allowed {
		f.allowed[name] = true
		for i := range len(name) {
			if name[i] == '.' {
				f.above[name[:i]] = true
			}
		}
	}
	passed = f.object("", record)
	slices.Sort(f.stripped)
	return passed, slices.Compact(f.stripped)
}

type filter struct {
	allowed  map[string]bool
	above    map[string]bool // names something below which is allowed
	stripped []string
}

func (f *filter) object(path string, record map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range record {
		if kept, ok := f.value(strings.TrimPrefix(path+"."+name, "."), value); ok {
			out[name] = kept
		}
	}
	return out
}

func (f *filter) value(path string, value any) (any, bool) {
	if f.allowed[path] {
		return value, true
	}
	if f.above[path] {
		switch v := value.(type) {
		case map[string]any:
			return f.object(path, v), true
		case []any:
			return f.list(path, v), true
		}
	}
	f.stripped = append(f.stripped, path)
	return nil, false
}

func (f *filter) list(path string, list []any) []any {
	out := make([]any, 0, len(list))
	for _, element := range list {
		if object, ok := element.(map[string]any); ok {
			out = append(out, f.object(path, object))
			continue
		}
		f.stripped = append(f.stripped, path)
	}
	return out
}
