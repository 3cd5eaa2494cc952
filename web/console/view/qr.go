package view

import (
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// quiet is the white edge that readers of QR codes need, in modules.
const quiet = 4

// QR draws a QR code of size times size modules. It is black on white in every theme: cameras expect that.
func QR(size int, black func(x, y int) bool, title string) g.Node {
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for x < size && black(x, y) {
				x++
			}
			if x > from {
				path.WriteString("M" + strconv.Itoa(from+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(x-from) + "v1h-" + strconv.Itoa(x-from) + "z")
			}
		}
	}
	edge := strconv.Itoa(size + 2*quiet)
	return h.Div(h.Class("qr"), el("svg", "viewBox", "0 0 "+edge+" "+edge, "role", "img", "aria-label", title, "shape-rendering", "crispEdges").With(
		el("rect", "width", edge, "height", edge, "fill", "#fff"), el("path", "d", path.String(), "fill", "#000")))
}
