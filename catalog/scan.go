package catalog

import (
	"github.com/ombudhq/ombud/pii"
)

// ScanOptions bound what a scan reads.
type ScanOptions struct {
	Samples int // rows of a dataset; default 500
}

// Findings is what a scan learned. It holds no value of any row.
type Findings struct {
	Config    *Config          `json:"-"` // what was scanned: the file's systems and those added to them
	Systems   []SystemFinding  `json:"systems"`
	Datasets  []DatasetFinding `json:"datasets"`
	Proposals []Proposal       `json:"proposals"`
	Surprises []Surprise       `json:"surprises"`
	Unmapped  []Surprise       `json:"unmapped"` // datasets that hold text or identities and hang on no person
}

// SystemFinding says whether a system could be read.
type SystemFinding struct {
	ID       string `json:"id"`
	Engine   string `json:"engine,omitempty"`
	Datasets int    `json:"datasets"`
	Problem  string `json:"problem,omitempty"`
}

// DatasetFinding is one dataset with the classes of its columns.
type DatasetFinding struct {
	System  string          `json:"system"`
	Name    string          `json:"name"`
	Rows    int64           `json:"rows"` // -1 when it could not be counted
	Ignored bool            `json:"ignored,omitempty"`
	Columns []ColumnFinding `json:"columns,omitempty"` // those with a class
	Problem string          `json:"problem,omitempty"`
}

// ColumnFinding is a column that seems to hold personal data.
type ColumnFinding struct {
	Name       string       `json:"name"`
	Category   pii.Category `json:"category"`
	Kind       pii.Kind     `json:"kind,omitempty"`
	Confidence float64      `json:"confidence"`
	Reason     string       `json:"reason"`
}

// Surprise is something a person would not expect where it is.
type Surprise struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Text    string `json:"text"`
}

// Proposal is one guess, as it would be written into the file. Exactly one of People, Link and
// Rule is set; its mark holds the id that --accept and --reject take.
type Proposal struct {
	System     string     `json:"system"`
	ID         string     `json:"id"`
	Confidence float64    `json:"confidence"`
	Reason     string     `json:"reason"`
	People     *People    `json:"people,omitempty"`
	Link       *Link      `json:"link,omitempty"`
	Rule       *TableRule `json:"rule,omitempty"`
}
