package main

import "testing"

func TestEdit(t *testing.T) {
	const source = "func f() {\n\tif a {\n\t\treturn 1\n\t}\n\treturn 1\n}\n"
	for _, c := range []struct {
		old, want, err string
	}{
		{"if a {", "func f() {\n\tNEW\n\t\treturn 1\n\t}\n\treturn 1\n}\n", ""},
		{"if a {\n   return 1 }", "func f() {\n\tNEW\n\treturn 1\n}\n", ""},
		{"return 1", "", "the snippet occurs 2 times, not once"},
		{"return 2", "", "the snippet occurs 0 times, not once"},
		{"f(.)", "", "the snippet occurs 0 times, not once"},
	} {
		got, err := edit{"x.go", c.old, "NEW"}.apply(source)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if got != c.want || said != c.err {
			t.Errorf("%q: got %q, error %q; want %q, error %q", c.old, got, said, c.want, c.err)
		}
	}
}

// Every mutant has a name of its own, a description and an edit. TestTableCompiles tests the edits.
func TestTable(t *testing.T) {
	names, safety := make(map[string]bool), 0
	for _, m := range table {
		if names[m.name] {
			t.Errorf("two mutants have the name %s", m.name)
		}
		names[m.name] = true
		if m.wrong == "" || len(m.edits) == 0 {
			t.Errorf("%s has no description or no edit", m.name)
		}
		if m.safety {
			safety++
		}
	}
	if len(table) < 90 || safety < 50 {
		t.Errorf("only %d mutants, %d of them break safety", len(table), safety)
	}
}
