package client_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/ombudhq/ombud/client"
)

func Example() {
	ombud, err := client.New(client.Config{URL: "http://127.0.0.1:7443", Key: os.Getenv("OMBUD_KEY"), Service: "newsletter"})
	if err != nil {
		log.Fatal(err)
	}
	defer ombud.Close()

	ctx := context.Background()
	who := client.Subject{"email": "name@example.com"}
	d, err := ombud.Allowed(ctx, who, "newsletter", "contact", client.Options{})
	if err != nil {
		log.Print(err) // and the decision is no
	}
	if d.Allowed {
		ombud.Accessed(client.Access{Subject: d.Subject, Purpose: "newsletter", Fields: []string{"email"}})
	}
}

func ExampleClient_Record() {
	var ombud *client.Client // of client.New
	consent, err := ombud.Record(context.Background(), client.RecordInput{
		Subject: client.Subject{"email": "name@example.com"}, Purpose: "newsletter", Method: "web_form",
		Notice: client.Notice{ID: "newsletter", Version: "3", Language: "en"},
	})
	var p *client.Problem
	switch {
	case errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity:
		for _, f := range p.Faults {
			log.Print(f.Where, ": ", f.Message)
		}
	case err != nil:
		log.Print("nobody knows whether it was recorded; later questions ask the server: ", err)
	default:
		log.Print("recorded ", consent.ID)
	}
}

func ExampleClient_Require() {
	var ombud *client.Client // of client.New
	signedIn := func(r *http.Request) client.Subject {
		cookie, err := r.Cookie("customer")
		if err != nil {
			return nil // nobody: refused
		}
		return client.Subject{"customer": cookie.Value}
	}
	offers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	http.Handle("GET /offers", ombud.Require("offers", "usage", signedIn)(offers))
}

func ExampleClient_Minimise() {
	var ombud *client.Client // of client.New
	customer := map[string]any{"name": "Ida", "born": "1990-01-01", "address": map[string]any{"city": "Oslo", "street": "Storgata 1"}}
	passed, stripped, err := ombud.Minimise(context.Background(), "newsletter", customer)
	if err != nil {
		log.Print(err) // and nothing passed
	}
	log.Print(len(passed), " fields go on, left out: ", stripped)
}
