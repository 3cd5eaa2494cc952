package catalog

import (
	"path/filepath"
	"slices"
)

// Config is ombud.yaml: what a company says about its stores. It is a document in git; Load reads
// it strictly and reports every fault with its line, Draft and Answer write it without losing
// comments, order or earlier answers.
type Config struct {
	Organization Organization `yaml:"organization"`
	Purposes     []Purpose    `yaml:"purposes,omitempty"`
	Systems      []System     `yaml:"systems"`
	Targets      []Target     `yaml:"targets,omitempty"`
	Mirror       Mirror       `yaml:"mirror,omitempty"`
	Approval     Approval     `yaml:"approval,omitempty"`
	Access       Access       `yaml:"access,omitempty"`
	Decisions    Decisions    `yaml:"decisions,omitempty"`
	Heads        []string     `yaml:"heads,omitempty"` // a string or a list in the file
	Witnesses    []Witness    `yaml:"witnesses,omitempty"`
	Audit        []LogKeep    `yaml:"audit,omitempty"`
	Serve        Serve        `yaml:"serve,omitempty"`
	Tracing      Tracing      `yaml:"tracing,omitempty" json:"-"`
	Keys         Keys         `yaml:"keys,omitempty" json:"-"`
	Mail         Mail         `yaml:"mail,omitempty" json:"-"`

	Path   string `yaml:"-"` // of the file, as given
	Folder string `yaml:"-"` // relative DSNs start here
	Digest string `yaml:"-"` // SHA-256 over the meaning, not the spelling: comments and order of keys do not count
}

// Mail says how e-mail goes out.
type Mail struct {
	Host     string `yaml:"host"`
	Port     int    `yaml:"port,omitempty"`     // default 587, with tls 465
	Security string `yaml:"security,omitempty"` // starttls (default) or tls
	From     string `yaml:"from"`
	User     string `yaml:"user,omitempty"`
	Password string `yaml:"password,omitempty"`
	Allow    string `yaml:"allow,omitempty"` // private: the server is in a network of one's own
	TLS      Peer   `yaml:"tls,omitempty"`
}

// On tells whether e-mail goes out.
func (m Mail) On() bool { return m.Host != "" }

// Witness is somebody else who cosigns checkpoints of the audit log.
type Witness struct {
	URL   string `yaml:"url"`
	Key   string `yaml:"key"`             // NAME+HASH+KEY, as it publishes it
	Allow string `yaml:"allow,omitempty"` // private: it is in a network of one's own
}

// LogKeep lets entries of the audit log stay readable for longer than by default: as a law that is known by its name asks,
// or one class for some years. Of several for a class the longest wins.
type LogKeep struct {
	Law     string `yaml:"law,omitempty"`     // one of law.LogLaws: it says the rest
	Class   string `yaml:"keep,omitempty"`    // security, access or compliance
	Years   int    `yaml:"years,omitempty"`   // with Class
	Because string `yaml:"because,omitempty"` // with Class: what asks for it
}

// Access says who may sign in by whom, and what narrows who may do what here.
type Access struct {
	Policies []string `yaml:"policies,omitempty"` // folders of *.cedar files, from the file's folder
	OIDC     []OIDC   `yaml:"oidc,omitempty"`
	// Downloads bounds how many packages and exports one person takes away; 0 is 30 in 60 minutes.
	Downloads Downloads `yaml:"downloads,omitempty"`
	// EmailCodes lets codes by e-mail be a second factor for who has no other, and whose roles the policies permit it.
	EmailCodes bool `yaml:"email_codes,omitempty" json:"-"`
}

// Downloads is so many in so many minutes.
type Downloads struct {
	Most    int `yaml:"most"`
	Minutes int `yaml:"minutes,omitempty"`
}

// PolicyFolders are the folders of access policies, as paths to open.
func (c *Config) PolicyFolders() []string {
	out := make([]string, len(c.Access.Policies))
	for i, dir := range c.Access.Policies {
		if out[i] = dir; !filepath.IsAbs(dir) {
			out[i] = filepath.Join(c.Folder, dir)
		}
	}
	return out
}

// Organization that answers: the controller of Art. 4(7) GDPR.
type Organization struct {
	Name          string   `yaml:"name"`
	Jurisdictions []string `yaml:"jurisdictions,omitempty"` // eu, uk, in, us-ca …
	Contact       string   `yaml:"contact,omitempty"`       // where people write to; shown in access packages
}

// Purpose of processing, with its basis (Art. 6).
type Purpose struct {
	ID          string      `yaml:"id"`
	Name        string      `yaml:"name,omitempty"`
	Description string      `yaml:"description,omitempty"`
	Basis       string      `yaml:"basis"`
	Because     string      `yaml:"because,omitempty"` // the condition of the basis: the law, the mandate, why it is necessary
	LIA         *LIA        `yaml:"lia,omitempty"`     // legitimate interests: the assessment
	Categories  []string    `yaml:"categories,omitempty"`
	Explicit    bool        `yaml:"explicit,omitempty"` // only explicit consent counts (Art. 9(2)(a))
	Fields      []FieldNeed `yaml:"fields,omitempty"`
	Uses        []string    `yaml:"uses,omitempty"` // what law treats apart: direct_marketing, sale, sharing …
	Systems     []string    `yaml:"systems,omitempty"`
	Retention   string      `yaml:"retention,omitempty"`
	Recipients  []string    `yaml:"recipients,omitempty"`
	Notices     []Notice    `yaml:"notices,omitempty"`
	Expires     string      `yaml:"expires,omitempty"`       // "N days|months|years" after the consent, or never; default 12 months
	DoubleOptIn bool        `yaml:"double_opt_in,omitempty"` // a consent waits for its confirmation
	Reconsent   string      `yaml:"reconsent,omitempty"`     // the notice version from which older consents do not count; versions stand oldest first
	Review      string      `yaml:"review,omitempty"`        // YYYY-MM-DD
	// OnWithdrawal: erase (default) opens an erasure for data that no other purpose needs; keep opens none.
	OnWithdrawal string `yaml:"on_withdrawal,omitempty"`
}

// LIA is a legitimate-interests assessment (Art. 6(1)(f)).
type LIA struct {
	Assessed string `yaml:"assessed"` // YYYY-MM-DD
	Outcome  string `yaml:"outcome"`  // proceed, proceed_with_safeguards, do_not_proceed
	Review   string `yaml:"review"`   // YYYY-MM-DD; from then on it is no longer valid
	By       string `yaml:"by,omitempty"`
	File     string `yaml:"file,omitempty"`
}

// FieldNeed is a field that a purpose may see, and why.
type FieldNeed struct {
	Name     string `yaml:"name"`
	Because  string `yaml:"because"`
	Required bool   `yaml:"required,omitempty"`
}

// Notice text shown when consent was asked.
type Notice struct {
	ID         string `yaml:"id"`
	Version    string `yaml:"version"`
	Language   string `yaml:"language"`
	Text       string `yaml:"text,omitempty"`
	File       string `yaml:"file,omitempty"`
	Superseded bool   `yaml:"superseded,omitempty"` // kept to prove what was shown; not shown any more
}

// Target is a service told of changes.
type Target struct {
	ID       string   `yaml:"id"`
	URL      string   `yaml:"url"`
	Systems  []string `yaml:"systems,omitempty"`
	Secret   string   `yaml:"secret,omitempty"`
	Hears    []string `yaml:"hears,omitempty"`    // changes (default), alarms, or both
	Identity string   `yaml:"identity,omitempty"` // none (default), or the kind of identity it is told
	Key      string   `yaml:"key,omitempty"`      // bearer key, where the service asks for one
	Allow    string   `yaml:"allow,omitempty"`    // private: the address may be one that only we can reach
	TLS      Peer     `yaml:"tls,omitempty"`      // by which certificate it is known, and which one we show
}

// Alarms and Changes are what a service can hear of.
const (
	Changes = "changes"
	Alarms  = "alarms"
)

// Told tells whether the service hears of such things.
func (t *Target) Told(what string) bool {
	if len(t.Hears) == 0 {
		return what == Changes
	}
	return slices.Contains(t.Hears, what)
}

// Mirror says where services look decisions up without a call.
type Mirror struct {
	Redis string `yaml:"redis,omitempty"` // address, with ${NAME} unexpanded
}

// Tracing says which collector of OpenTelemetry is told how long requests took; none where Endpoint is "".
type Tracing struct {
	Endpoint string  `yaml:"endpoint,omitempty"` // base address of OTLP over HTTP, such as http://127.0.0.1:4318
	Sample   float64 `yaml:"sample,omitempty"`   // share of the requests whose caller does not say; 0.01 by default
	Allow    string  `yaml:"allow,omitempty"`    // private: the address may be one that only we can reach, and need not be https
}

// Approval says how many people approve an erasure; 0 means 1.
type Approval struct {
	Erasure int `yaml:"erasure,omitempty"`
}

// Decisions says which decisions about people are logged in the ledger. The newest are remembered in memory in any case.
type Decisions struct {
	Log    string  `yaml:"log,omitempty"`    // ring (default): none; sample: by chance; full: each, before it is answered
	Sample float64 `yaml:"sample,omitempty"` // the share of them, 0.01 for one in a hundred, the default
}

// LogFull is the Log that leaves none out.
const LogFull = "full"

// System is one store.
type System struct {
	ID        string      `yaml:"id"`
	Connector string      `yaml:"connector"`
	DSN       string      `yaml:"dsn"` // with ${NAME} unexpanded; ExpandDSN gives the secret
	Location  string      `yaml:"location,omitempty"`
	Owner     string      `yaml:"owner,omitempty"` // who acts when it fails
	Rate      float64     `yaml:"rate,omitempty"`  // statements a second at most
	People    []People    `yaml:"people,omitempty"`
	Links     []Link      `yaml:"links,omitempty"`
	Tables    []TableRule `yaml:"-"` // a mapping in the file, in its order
	Ignore    []string    `yaml:"ignore,omitempty"`
}

// Mark is what scan adds to a guess, and what an answer leaves. A guess is planned with and stands
// in the gaps of every plan until it is accepted (the mark goes) or rejected (Rejected).
type Mark struct {
	Proposed   bool    `yaml:"proposed,omitempty"`
	Rejected   bool    `yaml:"rejected,omitempty"`
	ID         string  `yaml:"id,omitempty"`         // names the guess for --accept and --reject
	Confidence float64 `yaml:"confidence,omitempty"` // 0 to 1
	Reason     string  `yaml:"reason,omitempty"`
}

// People says where a person enters a store: identity kind to column. A kind may have further columns, a
// private address beside the one at work: whoever is found by one of them is found, and none of them stays.
type People struct {
	Table string              `yaml:"table"`
	By    map[string]string   `yaml:"by"`
	Also  map[string][]string `yaml:"-"` // the further columns of a kind, in by: {email: [work_email, private_email]}
	Mark  `yaml:",inline"`
}

func (p *People) alsoBy(kind string, columns ...string) {
	if len(columns) == 0 {
		return
	}
	if p.Also == nil {
		p.Also = map[string][]string{}
	}
	p.Also[kind] = append(p.Also[kind], columns...)
}

// Link is a reference the database does not declare, or the role of one it does. From and To are
// "dataset.column", the column after the last dot; To may start with another system's id.
type Link struct {
	From   string            `yaml:"from"`
	To     string            `yaml:"to"`
	As     Role              `yaml:"as,omitempty"`     // default own
	Author bool              `yaml:"author,omitempty"` // who stands in From wrote the row's text
	When   map[string]string `yaml:"when,omitempty"`   // polymorphic: column = value
	Mark   `yaml:",inline"`
}

// Role of an edge: what a reference says about whose the child row is (plan/doc.go).
type Role string

const (
	Own     Role = "own"     // the child belongs to the parent's person
	Co      Role = "co"      // one of several owners
	Mention Role = "mention" // names the person; the row is somebody else's
	Follow  Role = "follow"  // the parent is the person's too, if every row referring to it is
	Context Role = "context" // where the row hangs, not whose it is
	Alias   Role = "alias"   // the same person in a second people dataset

	// The rest is inferred, never written.
	Join    Role = "join"    // one side of a pure link row: it dies with either side
	Inherit Role = "inherit" // child of a personal row that is no people row
	Pointer Role = "pointer" // denormalised back reference to a child
	Up      Role = "up"      // from a personal row to its container
	Lookup  Role = "lookup"  // says nothing about people
)

// Method is what erasure does to a row.
type Method string

const (
	Delete       Method = "delete"
	Anonymise    Method = "anonymise"    // every link to the person broken, personal columns replaced
	Nullify      Method = "null"         // listed columns, or the reference, set to NULL
	Redact       Method = "redact"       // text replaced whole, or the person's spans masked
	Pseudonymise Method = "pseudonymise" // identifying columns replaced by random, row stays linkable to itself
	Shred        Method = "shred"        // the row's key destroyed; on stores without keys, all of today's: like delete, and the plan says so
	Keep         Method = "keep"         // stays, with a reason and an end
)

// TableRule says what erasure does to a dataset's rows; the default for a person's rows is delete.
type TableRule struct {
	Table   string   `yaml:"-"`
	Erase   Method   `yaml:"erase,omitempty"`
	Columns []string `yaml:"columns,omitempty"`
	Because string   `yaml:"because,omitempty"`
	Until   string   `yaml:"until,omitempty"` // "N days|months|years after COLUMN"
	// Opaque columns hold what Ombud cannot read, encrypted or coded, and somebody answers for that: they
	// are no gap.
	Opaque []string `yaml:"opaque,omitempty"`
	// Categories of the dataset's columns, where scan or a person said them: column to category.
	Categories map[string]string `yaml:"categories,omitempty"`
	Purpose    string            `yaml:"purpose,omitempty"`
	Mark       `yaml:",inline"`
}
