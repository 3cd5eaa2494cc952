package app

import "net/http"

// console is the one place where the pages are mounted.
func (f *front) console(*Parts) http.Handler { return http.NotFoundHandler() }
