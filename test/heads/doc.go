// Package heads holds Ombud's client of buckets to a server of others and to the signer of the SDK of AWS, both of which the
// product does without.
package heads
