package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ombudhq/ombud/pii"
)

var (
	idShape      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	jurisdiction = regexp.MustCompile(`^[a-z]{2,5}(-[a-z0-9]{1,4})?$`)

	bases        = []string{"consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"}
	basisAliases = map[string]string{"user_consent": "consent", "contract_necessary": "contract",
		"legal_obligations": "legal_obligation", "vital_interest": "vital_interests", "legitimate_interest": "legitimate_interests"}

	outcomes = []string{"proceed", "proceed_with_safeguards", "do_not_proceed"}
	uses     = []string{"direct_marketing", "sale", "sharing", "targeted_advertising", "profiling", "research", "statistics", "legal_claims"}

	connectors = []string{"sqlite", "postgres", "mysql", "mariadb"}
	planned    = []string{"mongo", "redis", "s3", "http", "elastic", "kafka", "files"}

	roles   = []string{string(Own), string(Co), string(Mention), string(Follow), string(Context), string(Alias)}
	methods = []string{string(Delete), string(Anonymise), string(Nullify), string(Redact), string(Pseudonymise), string(Shred), string(Keep)}
	// spellings that are plainly meant
	methodAliases = map[string]string{"anonymize": string(Anonymise), "pseudonymize": string(Pseudonymise), "nullify": string(Nullify)}
)

func keys(f fields) []string { return slices.Sorted(maps.Keys(f)) }

// didYouMean names the nearest word when it is near enough to be a slip.
func didYouMean(got string, words []string) string {
	best, at := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(got), strings.ToLower(w)); d < at && d < max(2, len(w)/2) {
			best, at = w, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the number of letters to insert, drop, change or swap with the neighbour.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var prev, row [66]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before := prev
		prev = row
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// id reads an identifier and remembers it, so that a second one of its sort is a fault.
func (r *reader) id(to *string, sort string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := r.scalar(n, "an id")
		if !ok {
			return
		}
		*to = s
		if !idShape.MatchString(s) {
			r.fault(n, "%q cannot be an id: letters, digits, _ and -, at most 63", s)
		}
		if r.seen == nil {
			r.seen = map[string]*yaml.Node{}
		}
		if first := r.seen[sort+" "+s]; first != nil {
			r.fault(n, "the %s %q is in line %d already", sort, s, first.Line)
			return
		}
		r.seen[sort+" "+s] = n
	}
}

func (r *reader) systemRefs(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = list(r, n, "systems", func(c *yaml.Node) string {
			s, ok := r.scalar(c, "a system")
			if ok {
				r.systems = append(r.systems, reference{c, s})
			}
			return s
		})
	}
}

func (r *reader) categories(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = list(r, n, "categories", func(c *yaml.Node) string {
			var s string
			r.category(&s)(c)
			return s
		})
	}
}

func (r *reader) category(to *string) func(*yaml.Node) {
	return r.oneOf(to, "category", pii.Categories(), nil)
}

// finish judges what needs the whole file.
func (r *reader) finish(cfg *Config) {
	var ids []string
	for _, s := range cfg.Systems {
		ids = append(ids, s.ID)
	}
	for _, ref := range r.systems {
		if !slices.Contains(ids, ref.name) {
			r.fault(ref.node, "no system is called %q%s", ref.name, didYouMean(ref.name, ids))
		}
	}
}

// digest hashes what the file means: places, order of tables, and the words of a guess do not count.
func digest(cfg *Config) string {
	c := *cfg
	c.Path, c.Folder, c.Digest = "", "", ""
	c.Systems = slices.Clone(c.Systems)
	for i := range c.Systems {
		s := &c.Systems[i]
		s.People, s.Links, s.Tables = append([]People(nil), s.People...), append([]Link(nil), s.Links...), append([]TableRule(nil), s.Tables...)
		for j := range s.People {
			s.People[j].Confidence, s.People[j].Reason = 0, ""
		}
		for j := range s.Links {
			s.Links[j].Confidence, s.Links[j].Reason = 0, ""
		}
		for j := range s.Tables {
			s.Tables[j].Confidence, s.Tables[j].Reason = 0, ""
		}
		slices.SortFunc(s.Tables, func(a, b TableRule) int { return strings.Compare(a.Table, b.Table) })
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic("catalog: a configuration is always JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
