// Package demo makes Fjordly, an outdoor shop that exists only to be looked at: 12,000 customers in
// four SQLite files of different make (foreign keys declared; none declared; free text; a bare list of
// addresses), joined by links that no database declares. One customer, Ida Nordmann, carries the
// traps that erasure meets in real stores: an old account under another spelling, invoices that a law
// keeps, letters of others that name her, a swap with a friend. Next to her lives Ida Nordman, with one
// n, who must come out untouched.
//
// Walk shows what Ombud does with it, through the same commands a user types.
package demo
