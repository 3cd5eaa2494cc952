package request

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/ombudhq/ombud/internal/fault"
)

// manifestLimit bounds what is read of a manifest nobody has vouched for yet.
const manifestLimit = 64 << 20

// PackageInfo is what a verified package says of itself.
type PackageInfo struct {
	Ref, Organization, Made, Plan string
	Reviewed                      bool
	Files                         int
	Rows                          int64
}

// VerifyPackage checks a package file with the public key: its manifest's signature, and that exactly
// the files it lists are there with the bytes it lists. Anything that does not fit is fault.Integrity.
func VerifyPackage(path string, pub ed25519.PublicKey) (*PackageInfo, error) {
	z, err := zip.OpenReader(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no such file")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "this is not a package")
	}
	defer z.Close()
	files := map[string]*zip.File{}
	for _, f := range z.File {
		if files[f.Name] != nil {
			return nil, fault.New(fault.Integrity, "the package holds %q twice", f.Name)
		}
		files[f.Name] = f
	}
	m, err := readManifest(files, pub)
	if err != nil {
		return nil, err
	}
	info := &PackageInfo{Ref: m.Ref, Organization: m.Organization, Made: m.Made, Plan: m.Plan, Reviewed: m.Reviewed, Files: len(m.Files)}
	for _, d := range m.Datasets {
		info.Rows += d.Rows
	}
	for _, want := range m.Files {
		f := files[want.Name]
		delete(files, want.Name)
		if f == nil {
			return nil, fault.New(fault.Integrity, "%q is missing from the package", want.Name)
		}
		if err := checkFile(f, want); err != nil {
			return nil, err
		}
	}
	for name := range files {
		if name != manifestName && name != sigName && name != pubName {
			return nil, fault.New(fault.Integrity, "%q was added to the package", name)
		}
	}
	return info, nil
}

func readManifest(files map[string]*zip.File, pub ed25519.PublicKey) (*manifest, error) {
	raw, err := readSmall(files[manifestName])
	if err != nil {
		return nil, err
	}
	sigText, err := readSmall(files[sigName])
	if err != nil {
		return nil, err
	}
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(sigText)))
	if err != nil || len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, raw, sig) {
		return nil, fault.New(fault.Integrity, "the package's manifest is not what was signed, or was signed with another key")
	}
	var m manifest
	if err := strictJSON(raw, &m); err != nil || m.Format != packageFormat {
		return nil, fault.New(fault.Integrity, "this is not a package of a format this program knows")
	}
	return &m, nil
}

func readSmall(f *zip.File) ([]byte, error) {
	if f == nil || f.UncompressedSize64 > manifestLimit {
		return nil, fault.New(fault.Integrity, "the package has no manifest with a signature")
	}
	r, err := f.Open()
	if err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "the package is damaged")
	}
	b, err := io.ReadAll(io.LimitReader(r, manifestLimit))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fault.Wrap(fault.Integrity, err, "the package is damaged")
	}
	return b, nil
}

func checkFile(f *zip.File, want manifestFile) error {
	r, err := f.Open()
	if err != nil {
		return fault.Wrap(fault.Integrity, err, "%q in the package is damaged", f.Name)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, want.Size+1))
	if err = errors.Join(err, r.Close()); err != nil || n != want.Size || hex.EncodeToString(h.Sum(nil)) != want.SHA256 {
		return fault.New(fault.Integrity, "%q in the package was changed", f.Name)
	}
	return nil
}
