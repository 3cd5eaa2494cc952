// Package trace tells a collector of OpenTelemetry how long requests took.
//
// A Tracer decides at the head whether a request is traced: as the caller's traceparent says (W3C Trace Context), else by
// chance. What is not traced costs a random number. What is becomes one span: a name, two instants, a status, and labels
// that the program chose itself; there is no way to put a value of a request into it, so no identity can come to a
// collector. Spans go out in batches, as OTLP over HTTP in JSON, from a queue that is bounded: a collector that is slow or
// dead costs spans and delays nobody.
//
//	request ──▶ Start ──▶ work ──▶ End ──▶ queue ──▶ Run: POST ENDPOINT/v1/traces
package trace
