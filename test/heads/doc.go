// Package heads holds Ombud's client of buckets to a server of others and to the signer of the SDK of AWS, and its reading of
// cosignatures to the implementation of others; the product does without all of them.
package heads
