package cli

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

type versionCmd struct {
	Keys bool `help:"Print the public key of the data directory instead, as verifiers of signed notes read it."`
}

func (c *versionCmd) runPlain(_ context.Context, s *session) error {
	if !c.Keys {
		v := map[string]string{"version": s.program.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
		return s.answer(v, func() { s.printf("ombud %s, %s %s\n", v["version"], v["go"], v["platform"]) })
	}
	file := s.publicKey("")
	pub, err := vault.LoadPublicKey(file)
	if err != nil {
		return err
	}
	line, err := vault.VerifierKey(pub)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s is not a public key", file)
	}
	return s.answer(map[string]string{"name": vault.KeyName(pub), "key": line, "file": file}, func() { s.printf("%s\n", line) })
}

// publicKey is the file given, or that of the data directory.
func (s *session) publicKey(given string) string {
	if given != "" {
		return s.env.Abs(given)
	}
	return filepath.Join(s.place().Data, "keys", "ombud.pub")
}
