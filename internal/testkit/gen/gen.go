// Package gen makes random companies: schemas with every trait that decides whose a row is and what
// becomes of it (cycles, composite and shared keys, NULLs, two owners, links no database declares,
// names that need quoting), filled with random rows. A seed gives the same company every time, on
// each engine as far as the engine has the trait.
//
// New gives the company as package model sees it; SQL and Config say the same to the stores and to
// the program, so that the two can be held against each other.
package gen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ombudhq/ombud/internal/testkit/model"
)

// Engines a company can be made for.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
	MariaDB  = "mariadb"
)

// Today is the day on which every generated company lives.
var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Company is a generated one, with the question that is asked of it.
type Company struct {
	*model.Company
	Seed     uint64
	Engine   string
	Systems  []string
	Question model.Question
}

// maker builds one company.
type maker struct {
	*rand.Rand
	c      *Company
	used   map[string]bool
	serial int
	people []*model.Table
	others []*model.Table // not people: what later tables may hang on
	pools  []*model.Table // rows many people share; owned by a follow link or by nobody
	mails  []string       // of people made so far
	names  []string
}

// New makes the company of a seed.
func New(seed uint64, engine string) *Company {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0)), used: map[string]bool{},
		c: &Company{Company: &model.Company{Today: today, EachRow: engine == "mariadb"}, Seed: seed, Engine: engine, Systems: []string{"a"}}}
	if m.chance(40) {
		m.c.Systems = append(m.c.Systems, "b")
	}
	if m.chance(30) {
		m.lookup()
	}
	m.peopleTables()
	for range 2 + m.IntN(4) {
		m.dependent()
	}
	m.lines()
	if seed%7 == 6 {
		m.payers()
	}
	m.cycle()
	m.sentinel()
	m.ignoreUnused()
	m.fill()
	m.ask()
	return m.c
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, from []T) T { return from[m.IntN(len(from))] }

// word is a random token that is part of no other.
func (m *maker) word() string {
	m.serial++
	letters := []byte("bcdfghjklmnpqrstvwxz")
	var b strings.Builder
	for range 5 {
		b.WriteByte(letters[m.IntN(len(letters))])
		b.WriteByte("aeiou"[m.IntN(5)])
	}
	return fmt.Sprintf("%s%dq", b.String(), m.serial)
}

// table starts one with the column that tells rows apart.
func (m *maker) table(system string) *model.Table {
	t := &model.Table{System: system, Name: m.name(tableNames), Mark: []string{"n"}}
	t.Columns = append(t.Columns, model.Column{Name: "n", NotNull: true})
	m.c.Tables = append(m.c.Tables, t)
	return t
}

func (m *maker) system() string { return pick(m, m.c.Systems) }

func add(t *model.Table, name string, typ model.Type, notNull bool, length int) string {
	t.Columns = append(t.Columns, model.Column{Name: name, Type: typ, NotNull: notNull, Length: length})
	return name
}

// ask chooses the person, how they name themselves, and the holds that stand.
func (m *maker) ask() {
	t := m.people[0]
	for n := 1 + m.IntN(8)/7; n > 0 || len(m.c.Question.Identities) == 0; n-- {
		r := pick(m, t.Rows)
		for kind, column := range ordered(t.People) {
			if v := r.Cell(column); kind == "email" && !v.Null {
				m.c.Question.Identities = append(m.c.Question.Identities, model.Identity{Kind: kind, Value: m.spelling(v.S)})
			} else if m.chance(30) && !v.Null {
				m.c.Question.Identities = append(m.c.Question.Identities, model.Identity{Kind: kind, Value: v.S})
			}
		}
	}
	if m.chance(70) {
		m.askAsGuest()
	}
	if m.chance(15) {
		h := pick(m, m.c.Tables)
		m.c.Question.Holds = append(m.c.Question.Holds, model.Hold{System: h.System, Dataset: h.Name})
	}
	if m.chance(4) {
		m.c.Question.Holds = append(m.c.Question.Holds, model.Hold{System: m.system()})
	}
}

// askAsGuest adds an address that rows carry and nobody of the people has.
func (m *maker) askAsGuest() {
	for _, t := range m.c.Tables {
		for _, e := range t.Edges {
			for _, r := range t.Rows {
				if v := r.Cell(e.Columns[0]); e.Value && !v.Null && strings.HasSuffix(v.S, "@nobody.example") {
					m.c.Question.Identities = append(m.c.Question.Identities, model.Identity{Kind: "email", Value: m.spelling(v.S)})
					return
				}
			}
		}
	}
}

// spelling is the same identity as somebody may type it.
func (m *maker) spelling(s string) string {
	switch m.IntN(4) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return " " + s + "  "
	case 2:
		return strings.ToLower(s)
	}
	return s
}
