package picture_test

import (
	"fmt"
	"strings"
	"time"

	"6.824/picture"
)

// Two servers, one message, and a rule that it has broken.
func Example() {
	rec := picture.New(picture.Options{Title: "two servers"})
	a, b := rec.Lane("server 0", false), rec.Lane("server 1", false)
	for _, e := range []picture.Event{
		{Kind: picture.Start, Lane: a},
		{Kind: picture.Start, Lane: b},
		{Kind: picture.Send, Lane: a, Peer: b, Call: 1, Name: "Ping", Text: "Ping 7"},
		{Kind: picture.Receive, Lane: b, Call: 1},
		{Kind: picture.Answer, Lane: b, Call: 1, OK: false, Text: "has seen 8"},
		{Kind: picture.Violation, Lane: b, Call: 1, Name: "numbers rise", Text: "7 comes after 8"},
		{Kind: picture.End, Lane: a, Call: 1, Fate: picture.Delivered},
	} {
		e.At = time.Second
		rec.Add(e)
	}
	var page strings.Builder
	err := rec.Write(&page)
	fmt.Println(err, strings.HasPrefix(page.String(), "<!DOCTYPE html>"))
	// Output: <nil> true
}
