// Package view holds the parts that pages are made of: the shell, the sentence at the head, who acts next, signs, tables,
// forms, drawings. A part is a function from plain values to a node; it knows no product package and no request.
//
// The parts promise what every page must keep: no script and no style inside a page, text is escaped, a state is never a
// colour alone, a drawing states its finding in words, and a table says in each cell which column it is when it folds.
package view
