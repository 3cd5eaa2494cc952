// Package console is what people who answer for data work with: pages rendered on the server, one file a page, made of the
// parts in console/view.
//
// Every page works without script. A page is computed from the state of the product when it is asked for; nothing is kept
// between two requests. Its heading says how things stand, and under it who acts, what and by when.
//
// What a page may never do is decided in one place (Secure, guard, handle): load anything from elsewhere, be stored or
// framed, accept a form of another site, put an identity into an address, or show one unmasked.
package console
