// Package opa asks Open Policy Agent, embedded, the question that Ombud decides, on the same data: a decision in process
// is measured against it, and both must answer alike. The product does without it.
package opa
