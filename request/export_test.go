package request

// Reached tells whether a command that has a request has only to let go of it.
func (s *Service) Reached(id string) bool { return s.traffic.desk.reached(id) != nil }
