package trace

import "encoding/hex"

// Parent is what a caller says of the trace that a request belongs to. The zero Parent says nothing.
type Parent struct {
	trace   [16]byte
	span    [8]byte
	sampled bool
	known   bool
}

// ParseParent reads a header traceparent. One that is not as the standard wants it says nothing.
func ParseParent(header string) (p Parent) {
	const length = len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if len(header) < length || header[2] != '-' || header[35] != '-' || header[52] != '-' {
		return Parent{}
	}
	var version, flags [1]byte
	if !lower(version[:], header[:2]) || !lower(p.trace[:], header[3:35]) || !lower(p.span[:], header[36:52]) || !lower(flags[:], header[53:55]) {
		return Parent{}
	}
	later := version[0] > 0 && version[0] < 0xff // may have more behind a dash
	if len(header) > length && (!later || header[length] != '-') || version[0] == 0xff || p.trace == [16]byte{} || p.span == [8]byte{} {
		return Parent{}
	}
	p.sampled, p.known = flags[0]&1 == 1, true
	return p
}

// lower decodes hexadecimal digits, of which capitals are none.
func lower(to []byte, s string) bool {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(to, []byte(s))
	return err == nil
}
