package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"sync"
)

//go:embed static
var static embed.FS

// assets are the files that pages load, each under an address that changes with its content: a browser may keep what it
// has for ever. They hold nothing of anybody.
type assets map[string]asset // by name

type asset struct {
	address, kind string
	content       []byte
}

// embedded are those of this program, read once.
var embedded = sync.OnceValue(func() assets {
	out := assets{}
	names, err := fs.Glob(static, "static/*")
	if err != nil {
		return out // the pattern is ours and right
	}
	for _, name := range names {
		content, err := static.ReadFile(name)
		if err != nil {
			continue // embedded files can be read
		}
		sum := sha256.Sum256(content)
		base := path.Base(name)
		out[base] = asset{"/assets/" + hex.EncodeToString(sum[:8]) + "/" + base, kindOf(base), content}
	}
	return out
})

// kindOf does not ask the machine, whose tables may say otherwise.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// address of an asset by its name.
func (a assets) address(name string) string { return a[name].address }

// ServeHTTP gives an asset under its present address only.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a[r.PathValue("name")]
	if !ok || file.address != r.URL.Path {
		http.Error(w, "this file is of another version; load the page again", http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", file.kind)
	_, _ = w.Write(file.content) // who hung up is told nothing
}
