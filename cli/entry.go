package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/ledger"
)

// showEntries prints entries of the ledger for a reader; --json has them whole.
func (s *session) showEntries(rows []ledger.Row) {
	t := newTable("", "time (UTC)", "kind", "result", "by", "").numbers(0)
	for _, r := range rows {
		t.row(r.ID, r.Time.UTC().Format(time.DateOnly+" 15:04"), r.Kind, r.Result, r.Actor, told(r))
	}
	t.print(s)
}

// told is what an entry holds, in one line: names and values, hashes cut short, empty ones left out.
func told(r ledger.Row) string {
	if r.Erased {
		return "forgotten"
	}
	var content map[string]any
	d := json.NewDecoder(strings.NewReader(string(r.Content)))
	d.UseNumber()
	if err := d.Decode(&content); err != nil {
		return string(r.Content)
	}
	delete(content, "at") // the entry's own time stands beside it
	return strings.Join(facts("", content), ", ")
}

func facts(lead string, content map[string]any) []string {
	if id, ok := noticeID(content); ok {
		return []string{strings.TrimSpace(lead + " " + id)}
	}
	names := slices.Sorted(maps.Keys(content))
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	var out []string
	for _, name := range names {
		path := strings.TrimPrefix(lead+"."+name, ".")
		if inner, ok := content[name].(map[string]any); ok {
			out = append(out, facts(path, inner)...)
		} else if v := value(content[name]); v != "" {
			out = append(out, path+" "+v)
		}
	}
	return out
}

// rank puts what an entry is about before its details.
func rank(name string) int {
	about := []string{"request", "kind", "state", "purpose", "purposes"}
	if i := slices.Index(about, name); i >= 0 {
		return i
	}
	return len(about)
}

// noticeID writes a notice as the command line takes it: letters@3/en.
func noticeID(content map[string]any) (string, bool) {
	id, version, language := content["id"], content["version"], content["language"]
	if id == nil || version == nil || language == nil {
		return "", false
	}
	return fmt.Sprintf("%v@%v/%v", id, version, language), true
}

var hash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func value(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		var parts []string
		for _, x := range v {
			if inner, ok := x.(map[string]any); ok {
				parts = append(parts, "("+strings.Join(facts("", inner), ", ")+")")
			} else {
				parts = append(parts, value(x))
			}
		}
		return strings.Join(parts, "+")
	case string:
		return text(v)
	}
	return fmt.Sprint(v)
}

func text(v string) string {
	if hash.MatchString(v) {
		return v[:12] + "…"
	}
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return t.UTC().Format(time.DateOnly + " 15:04")
	}
	if strings.ContainsAny(v, " ,()+") {
		return strconv.Quote(v)
	}
	return v
}
