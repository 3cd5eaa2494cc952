package law

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed logs.json
var logsFile []byte

// LogRule is a law that says for how long entries of the audit log must stay readable.
type LogRule struct {
	Law          string   `json:"law"`          // the word that ombud.yaml calls it by
	Jurisdiction string   `json:"jurisdiction"` // whom it binds; "" is a trade: it binds who says so
	Keep         []string `json:"keep"`         // classes of entries
	Years        int      `json:"years"`
	From         string   `json:"from"` // YYYY-MM-DD
	Citation     string   `json:"citation"`
}

// logClasses are those that a law can speak of.
var logClasses = []string{"security", "access", "compliance"}

var logRules = sync.OnceValue(func() []LogRule {
	rules, err := parseLogs(logsFile)
	if err != nil {
		panic(err) // what is embedded is tested
	}
	return rules
})

// parseLogs reads rules, and names every fault of them.
func parseLogs(b []byte) ([]LogRule, error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	var rules []LogRule
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf("reading the laws of logs: %w", err)
	}
	var faults []error
	seen := map[string]bool{}
	for i, r := range rules {
		bad := func(what string) { faults = append(faults, fmt.Errorf("rule %d: %s", i+1, what)) }
		if r.Law == "" || seen[r.Law] {
			bad("a law has a name, and no other has it")
		}
		if seen[r.Law] = true; r.Citation == "" {
			bad("a law is cited")
		}
		if _, err := time.Parse(time.DateOnly, r.From); err != nil {
			bad("a law holds from a date on")
		}
		if r.Years < 1 || r.Years > 100 {
			bad("years are 1 to 100")
		}
		if len(r.Keep) == 0 || slices.ContainsFunc(r.Keep, func(c string) bool { return !slices.Contains(logClasses, c) }) {
			bad("keep names classes of entries: " + strings.Join(logClasses, ", "))
		}
	}
	return rules, errors.Join(faults...)
}

// LogLaws are the words that ombud.yaml may call laws of logs by.
func LogLaws() (words []string) {
	for _, r := range logRules() {
		words = append(words, r.Law)
	}
	return words
}

// LogYears says, by class of entries, which rule asks on a day for the longest time: of those that bind these jurisdictions,
// and of those that are named.
func LogYears(jurisdictions, named []string, day time.Time) map[string]LogRule {
	out := map[string]LogRule{}
	for _, r := range logRules() {
		binds := slices.Contains(named, r.Law) || r.Jurisdiction != "" && slices.Contains(jurisdictions, r.Jurisdiction)
		if !binds || day.Format(time.DateOnly) < r.From {
			continue
		}
		for _, class := range r.Keep {
			if r.Years > out[class].Years {
				out[class] = r
			}
		}
	}
	return out
}
