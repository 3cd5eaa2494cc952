package request

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

//go:embed package.html
var pageText string

//go:embed package.css
var pageStyle string

//go:embed package.txt
var readme string

const (
	pageRows  = 50  // of one dataset shown on the page; the files have all
	pageCell  = 400 // characters of one cell shown
	pageTotal = 2000
)

// page is what index.html shows: the answer that Art. 15 GDPR asks for, and the beginning of the data.
type page struct {
	Ref, Organization, Contact, Heading, Lede, Hash, Made, Ignored, CSP string
	CSS                                                                 template.CSS
	Missing                                                             []pageMissing
	Held                                                                []pageHeld
	Purposes                                                            []pagePurpose
	Systems, Targets                                                    []pageSystem
	Data                                                                []*pageData
}

type pageMissing struct{ Where, Why, Next string }

type pageHeld struct {
	System, Dataset, Field, Why string
	Rows                        int64
}

type pagePurpose struct{ Name, Basis, Categories, Systems, Retention, Recipients string }

type pageSystem struct{ Name, Kind, Location, Systems string }

type pageData struct {
	Anchor, System, Name, JSON, CSV, Why, Kept, Caption string
	Rows                                                int64
	Paths, Columns                                      []string
	Cells                                               [][]pageCellText
}

type pageCellText struct {
	Text string
	Held bool
}

// page renders index.html. It runs no script and loads nothing: its policy allows its own style alone.
func (p *pack) page() ([]byte, error) {
	t, err := template.New("index").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("reading the page template: %w", err)
	}
	style := sha256.Sum256([]byte(pageStyle))
	v := page{
		Ref: p.ref, Organization: p.config.Organization.Name, Contact: p.config.Organization.Contact, Hash: p.plan.Hash,
		Made: p.now.Format("2 January 2006, 15:04 UTC"), Ignored: strings.Join(p.outcome.Ignored, ", "), CSS: template.CSS(pageStyle),
		CSP: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) + "'; base-uri 'none'; form-action 'none'",
	}
	if v.Organization == "" {
		v.Organization = "the organisation"
	}
	p.say(&v)
	p.explain(&v)
	if v.Data, err = p.show(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("writing the page: %w", err)
	}
	return b.Bytes(), nil
}

// say writes the page's one sentence, and what is not in the package.
func (p *pack) say(v *page) {
	var rows int64
	for _, d := range p.rows.sets {
		rows += d.Rows
	}
	systems := len(p.plan.Systems)
	v.Heading = fmt.Sprintf("%s holds %s about you, in %s.", v.Organization, count(rows, "row"), count(int64(systems), "system"))
	if rows == 0 {
		v.Heading = v.Organization + " holds no data about you that could be found."
	}
	v.Lede = "You asked on " + p.received.Format("2 January 2006") + ". This is the answer: what is held, why, for how long, who receives it, and a copy of it."
	for _, r := range slices.Concat(p.outcome.Remaining, p.outcome.Gaps) {
		v.Missing = append(v.Missing, pageMissing{strings.Trim(r.System+" · "+r.Dataset, " ·"), r.Why, ""})
	}
	if len(v.Missing) > 0 {
		v.Lede += " Not everything could be read; that is listed first."
	}
	for _, h := range p.outcome.Held {
		v.Held = append(v.Held, pageHeld{h.System, h.Dataset, h.Field, h.Why, h.Rows})
	}
}

func count(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.FormatInt(n, 10) + " " + word + "s"
}

// explain fills in what ombud.yaml says: purposes, systems, services.
func (p *pack) explain(v *page) {
	shown := map[string]bool{}
	for _, s := range p.plan.Systems {
		shown[s.ID] = true
	}
	for _, s := range p.config.Systems {
		if shown[s.ID] {
			v.Systems = append(v.Systems, pageSystem{Name: s.ID, Kind: "a " + s.Connector + " store", Location: s.Location})
		}
	}
	for _, t := range p.config.Targets {
		v.Targets = append(v.Targets, pageSystem{Name: t.ID, Systems: strings.Join(t.Systems, ", ")})
	}
	for _, u := range p.config.Purposes {
		name := u.Name
		if name == "" {
			name = u.ID
		}
		v.Purposes = append(v.Purposes, pagePurpose{name, basisWords(u.Basis), strings.Join(u.Categories, ", "), strings.Join(u.Systems, ", "),
			orElse(u.Retention, "no period is recorded"), orElse(strings.Join(u.Recipients, ", "), "nobody else is recorded")})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// basisWords names the basis with its article; an unknown one stands as written.
func basisWords(basis string) string {
	articles := map[string]string{"consent": "a", "contract": "b", "legal_obligation": "c", "vital_interests": "d", "public_task": "e", "legitimate_interests": "f"}
	words := strings.ReplaceAll(basis, "_", " ")
	if letter := articles[basis]; letter != "" {
		return words + ", Art. 6(1)(" + letter + ") GDPR"
	}
	return words
}

// show takes the first rows of each dataset, fewer of each when there are many datasets.
func (p *pack) show() ([]*pageData, error) {
	limit := max(3, min(pageRows, pageTotal/max(1, len(p.rows.sets))))
	var out []*pageData
	for i, d := range p.rows.sets {
		m := p.manifest.Datasets[i]
		v := &pageData{Anchor: "d" + strconv.Itoa(i+1), System: d.System, Name: d.Name, JSON: m.JSON, CSV: m.CSV, Rows: d.Rows}
		v.Paths, v.Why, v.Kept = d.paths(), d.roles(), p.kept(d)
		for _, c := range m.Columns {
			v.Columns = append(v.Columns, c.Name)
		}
		v.Caption = count(d.Rows, "row")
		if d.Rows > int64(limit) {
			v.Caption = fmt.Sprintf("The first %d of %d rows; the files have all.", limit, d.Rows)
		}
		var err error
		if v.Cells, err = p.cells(d, limit); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (p *pack) cells(d *dataset, limit int) ([][]pageCellText, error) {
	columns := d.columns()
	var out [][]pageCellText
	err := p.rows.each(d, func(s *shape, row []connector.Value) (bool, error) {
		at := s.positions(columns)
		line := make([]pageCellText, len(columns))
		for i, c := range columns {
			switch {
			case at[i] < 0:
			case slices.Contains(s.withheld, c.Name):
				line[i] = pageCellText{withheldMark, true}
			default:
				line[i].Text = cellText(row[at[i]])
			}
		}
		out = append(out, line)
		return len(out) < limit, nil
	})
	return out, err
}

func cellText(v connector.Value) string {
	if v.Kind == connector.Bytes || !utf8.ValidString(v.S) {
		return count(int64(len(v.S)), "byte")
	}
	if utf8.RuneCountInString(v.S) <= pageCell {
		return v.S
	}
	return string([]rune(v.S[:min(len(v.S), 4*pageCell)])[:pageCell]) + " …"
}

// paths tells how the rows were found.
func (d *dataset) paths() []string {
	var out []string
	for _, s := range d.shapes {
		if s.path != "" && !slices.Contains(out, s.path) {
			out = append(out, s.path)
		}
	}
	return out
}

// roles says whose rows these are, where they are not the reader's alone.
func (d *dataset) roles() string {
	has := func(role catalog.Role) bool {
		return slices.ContainsFunc(d.shapes, func(s shape) bool { return s.role == role })
	}
	switch {
	case has(catalog.Mention):
		return "Some of these rows are other people's and name you."
	case has(catalog.Co):
		return "Some of these rows are about other people too; you see your side of them."
	}
	return ""
}

// kept says how long the dataset's rows are kept, where ombud.yaml says it.
func (p *pack) kept(d *dataset) string {
	for _, s := range p.config.Systems {
		for _, t := range s.Tables {
			if s.ID != d.System || t.Table != d.Name || t.Until == "" && t.Because == "" {
				continue
			}
			return "Kept " + strings.TrimSpace(orElse(t.Until, "without an end that is recorded")+": "+t.Because) + "."
		}
	}
	return ""
}
