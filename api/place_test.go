package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/ombudhq/ombud/internal/fault"
)

// TestPlacesOfFaults: whoever found a fault, its place is spelled in one way, and names nothing that the client named.
func TestPlacesOfFaults(t *testing.T) {
	for found, want := range map[string]string{
		"": "", "subject": "/subject", "notice/version": "/notice/version", "/decisions/1/purpose": "/decisions/1/purpose",
		"query.from": "query.from", "header.If-Match": "header.If-Match", "path.id": "path.id",
	} {
		if got := problemOf(fault.New(fault.Invalid, "x").With(fault.Detail{Where: found, Message: "y"})).Errors[0].Where; got != want {
			t.Errorf("%s: %s, want %s", found, got, want)
		}
	}
	if got := problemOf(inData(fault.New(fault.Invalid, "x").With(fault.Detail{Where: "notice/version"}))).Errors[0].Where; got != "/data/notice/version" {
		t.Errorf("of what an event tells: %s", got)
	}
	for found, want := range map[string]string{
		"body": "", "body.kind": "/kind", "body.subjects[3].ida": "/subjects/3", "body.categories[0]": "/categories/0", "body.subject.ida": "/subject",
		"body.subjects[3].ida.hansen": "/subjects/3", "body.metadata.Ida": "/metadata", "body.Ida Hansen.x": "", "query.limit": "query.limit",
	} {
		if got := placeOf(found); got != want {
			t.Errorf("%s: %s, want %s", found, got, want)
		}
	}
	named := &huma.ErrorModel{Errors: []*huma.ErrorDetail{{Location: "body.ida@example.com", Message: validation.MsgUnexpectedProperty}}}
	v, err := hideValues(nil, "", named)
	b, _ := json.Marshal(v)
	if err != nil || strings.Contains(string(b), "ida") {
		t.Errorf("an unknown property is named: %s, %v", b, err)
	}
}
