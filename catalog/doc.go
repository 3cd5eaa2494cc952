// Package catalog knows the company's systems: what ombud.yaml says of them (Config), what their
// own catalogs say (Catalog.Refresh), the graph of datasets and edges that follows from both (Graph),
// and what a scan guesses beyond it (Scan).
//
// Declared foreign keys are facts. Everything inferred carries its reason, is planned with, and
// stays an open gap until a person answers. The catalog never decides a row's fate; package plan does.
package catalog
