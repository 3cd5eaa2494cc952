// Package acme holds Ombud's certificates by ACME to Pebble, the server that Let's Encrypt made to test clients with; the
// product does without it.
package acme
