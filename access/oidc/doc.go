// Package oidc lets people in whom an identity provider of the company vouches for (OpenID Connect Core 1.0): the code flow
// with PKCE, state and nonce, and nothing else.
//
// A Desk sends a browser to a provider and takes it back. What it sent is bound to the browser by a cookie and is spent by
// the first answer, right or wrong: a state cannot be guessed twice, an answer cannot be brought again. The token that names
// the person comes from the provider itself, over the guarded connection of all that is called; it must be signed with one
// of the asymmetric algorithms, by a key the provider publishes, for us, now, and in answer to this very question.
//
// Groups become roles by the table in ombud.yaml, in its order; without a role there is no entry. A session goes on only as
// long as the provider confirms it: it is asked every few minutes, another role or none ends the sessions at once, and when
// it could not be asked for a quarter of an hour they end too. The provider may also say by itself that somebody signed out
// there (OpenID Connect Back-Channel Logout 1.0): that ends their sessions at once, and each word counts once.
package oidc
