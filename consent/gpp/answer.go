package gpp

// Answer is what a string says about something.
type Answer uint8

const (
	Absent        Answer = iota // nothing: there is no field for it
	NotApplicable               // the business says that it does not do this
	Yes
	No
	Unclear // something that cannot be understood; whoever must be sure takes it as an opt-out
)

func (a Answer) String() string {
	return [...]string{"absent", "not applicable", "yes", "no", "unclear"}[min(a, Unclear)]
}

// MarshalText gives the answer in words.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Activity is what somebody can opt out of.
type Activity uint8

const (
	Sale Activity = iota
	Sharing
	TargetedAdvertising
)

func (a Activity) field() string {
	return [...]string{"SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut", ""}[min(a, 3)]
}

// Notice says whether notice of the opportunity to opt out of an activity was given.
func (s *Section) Notice(a Activity) Answer {
	if s.USP != nil && a == Sale {
		return s.USP.Notice
	}
	return s.answer(a.field() + "Notice")
}

// OptedOut says whether the person has opted out of an activity by this section's choice; GPC is apart.
func (s *Section) OptedOut(a Activity) Answer {
	if s.USP != nil && a == Sale {
		return s.USP.OptOutSale
	}
	return s.answer(a.field())
}

// GPC says whether the browser sent the Global Privacy Control; Absent when the section does not tell.
func (s *Section) GPC() Answer {
	if s.US == nil {
		return s.answer("Gpc")
	}
	switch v, ok := s.US.Int("Gpc"); {
	case !ok:
		return Absent
	case v == 1:
		return Yes
	}
	return No
}

// answer is that of a field in which 1 means yes and 2 no.
func (s *Section) answer(field string) Answer {
	if s.US == nil {
		if s.Opaque != "" && s.ID >= USPv1 {
			return Unclear
		}
		return Absent
	}
	switch v, ok := s.US.Int(field); {
	case !ok:
		return Absent
	case v == 0:
		return NotApplicable
	case v == 1:
		return Yes
	case v == 2:
		return No
	}
	return Unclear
}

// OptedOut weighs all sections: Yes when one of them has an opt-out of the activity, or the Global Privacy Control,
// which stands for all; else Unclear when one of them cannot be understood; else No when the choice was there and not
// used.
func (s *String) OptedOut(a Activity) Answer {
	weight := map[Answer]int{Yes: 4, Unclear: 3, No: 2, NotApplicable: 1}
	out := Absent
	for i := range s.Sections {
		answers := []Answer{s.Sections[i].OptedOut(a)}
		if gpc := s.Sections[i].GPC(); gpc == Yes || gpc == Unclear {
			answers = append(answers, gpc)
		}
		for _, answer := range answers {
			if weight[answer] > weight[out] {
				out = answer
			}
		}
	}
	return out
}

// GPC says whether any section has the Global Privacy Control.
func (s *String) GPC() Answer {
	out := Absent
	for i := range s.Sections {
		if answer := s.Sections[i].GPC(); answer == Yes || answer == Unclear && out != Yes || out == Absent {
			out = answer
		}
	}
	return out
}
