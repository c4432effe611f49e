package labtest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"6.824/picture"
)

// A Page is what tests want to know of the data of a page.
type Page struct {
	Title, Command  string
	Strings         []string
	Violation, Open int // events; Violation is -1 if there is none
	Lanes           []struct{ Name string }
	Events          struct{ Kind, Lane, Text, Name []int }
}

var pageData = regexp.MustCompile(`<script id="data"[^>]*>\s*([A-Za-z0-9+/=]+)\s*</script>`)

// ReadPage reads a page from a file.
func ReadPage(t *testing.T, file string) *Page {
	t.Helper()
	p := new(Page)
	text, err := os.ReadFile(file)
	m := pageData.FindSubmatch(text)
	if err == nil && m == nil {
		err = errors.New("there is no data in " + file)
	}
	if err == nil {
		var unpacked *gzip.Reader
		if unpacked, err = gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(m[1]))); err == nil {
			err = json.NewDecoder(unpacked).Decode(p)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Count returns the number of events of a kind whose text contains part.
func (p *Page) Count(kind picture.Kind, part string) (n int) {
	for i, k := range p.Events.Kind {
		if k == int(kind) && strings.Contains(p.Text(i), part) {
			n++
		}
	}
	return n
}

// Text returns the text of an event.
func (p *Page) Text(event int) string { return p.Strings[p.Events.Text[event]] }

// Name returns the name of an event.
func (p *Page) Name(event int) string { return p.Strings[p.Events.Name[event]] }

// Lane returns the name of the lane of an event, or "" if it has none.
func (p *Page) Lane(event int) string {
	if lane := p.Events.Lane[event]; lane >= 0 {
		return p.Lanes[lane].Name
	}
	return ""
}
