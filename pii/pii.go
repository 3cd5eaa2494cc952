// Package pii recognises personal data: by the names of columns and by what they hold.
//
// Names are split into tokens first, so that "age" is not found in "message", and compared with a
// dictionary of phrases in English and the basics of German, Norwegian, French and Spanish. Content is
// read by one scanner that walks the bytes once, stops only at '@', digits and a few letters, and asks
// a validator (a checksum where there is one) about each candidate. There are no regular expressions
// over data and nothing backtracks, so hostile text costs no more than ordinary text.
//
// Nothing here keeps, logs or returns a raw value: a Class speaks of a column, a Span of a position.
package pii

import "slices"

// Category of personal data, as ombud.yaml writes it.
type Category string

// The categories; the eight from EthnicOrigin to SexLife are those of Art. 9 GDPR.
const (
	Identity      Category = "identity"
	Contact       Category = "contact"
	Account       Category = "account"
	Behavioural   Category = "behavioural"
	Usage         Category = "usage"
	Technical     Category = "technical"
	Location      Category = "location"
	Financial     Category = "financial"
	Marketing     Category = "marketing"
	Communication Category = "communication"
	EthnicOrigin  Category = "ethnic_origin"
	Political     Category = "political_opinion"
	Religion      Category = "religion"
	Union         Category = "union_membership"
	Genetic       Category = "genetic"
	Biometric     Category = "biometric"
	Health        Category = "health"
	SexLife       Category = "sex_life"
	Criminal      Category = "criminal"
	Personal      Category = "personal"  // personal, nobody said of which sort
	Sensitive     Category = "sensitive" // the same, and sensitive
)

var categories = []Category{Identity, Contact, Account, Behavioural, Usage, Technical, Location, Financial, Marketing,
	Communication, EthnicOrigin, Political, Religion, Union, Genetic, Biometric, Health, SexLife, Criminal, Personal, Sensitive}

// Categories lists every category as ombud.yaml writes it.
func Categories() []string {
	out := make([]string, len(categories))
	for i, c := range categories {
		out[i] = string(c)
	}
	return out
}

// Special reports whether a category is one of the eight of Art. 9 GDPR.
func (c Category) Special() bool {
	i := slices.Index(categories, c)
	return i >= slices.Index(categories, EthnicOrigin) && i <= slices.Index(categories, SexLife)
}

// Kind is what a value is, more exactly than its category.
type Kind string

// Kinds that content can prove; the dictionary of names uses them and some more.
const (
	Email    Kind = "email"
	Phone    Kind = "phone"
	IP       Kind = "ip"
	IBAN     Kind = "iban"
	Card     Kind = "card"
	National Kind = "national_id"
	Birth    Kind = "birth_date"
	Postal   Kind = "address"
	Name     Kind = "name"
	Token    Kind = "token"
	Secret   Kind = "secret"
	FreeText Kind = "free_text"
)

// Class is what a column seems to hold. The zero Class means nothing personal was recognised.
type Class struct {
	Category   Category
	Kind       Kind
	Confidence float64 // 0 to 1
	Reason     string  // in plain words, without any value
}

// Known reports whether anything was recognised.
func (c Class) Known() bool { return c.Category != "" }
