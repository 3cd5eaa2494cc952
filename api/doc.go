// Package api is the REST interface under /v1, one file a feature; its OpenAPI description is made from the code and
// served at /v1/openapi.json.
//
// An operation decodes, calls one exported method of a product package, and gives back its answer. Errors are problems
// (RFC 9457) that name every fault at once and never repeat a value that was sent. No identity stands in a URL: people
// are named in bodies, requests by opaque ids. Whoever mounts the handler has judged credentials before.
package api
